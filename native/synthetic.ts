/** Made-up volumes: their voxels are computed on the kernels' pool, one thread a read. */
import { addon } from './index.js';
import { onAbort } from './onAbort.js';

/** What a volume is made of; see native/runtime/synthetic.h. */
export interface SyntheticScene {
  readonly seed: number;
  /** Brightness of one unit of noise, of which a voxel has -510 .. 510. */
  readonly noise: number;
  /** By which brightness is multiplied at last. */
  readonly scale: number;
  /** The background at (y, x) is `rows[y] + columns[x]`. */
  readonly rows: Float64Array;
  readonly columns: Float64Array;
  /** Of a cell along each axis, from its center outward. */
  readonly profileZ: Float64Array;
  readonly profileYx: Float64Array;
  /** x, y, z and amplitude of each cell, in z, y, x order. */
  readonly cells: Float64Array;
}

interface NativeSynthetic {
  fill(ticket: number, region: Int32Array, into: ArrayBufferView): Promise<void>;
  stop(ticket: number): void;
}
const { Synthetic } = addon as unknown as { readonly Synthetic: new (scene: SyntheticScene) => NativeSynthetic };

let tickets = 0;

/** Computes the voxels of one scene, whatever the region and in any number of calls at a time. */
export class SyntheticVoxels {
  private readonly native: NativeSynthetic;

  constructor(scene: SyntheticScene) {
    this.native = new Synthetic(scene);
  }

  /**
   * Fills `into`, packed, with a region given as first and past-the-end z, y and x. Settles when nothing is written into
   * it any more; rejects with the signal's reason once that is aborted.
   */
  async fill(
    region: readonly [z: number, zEnd: number, y: number, yEnd: number, x: number, xEnd: number],
    into: Uint8Array | Uint16Array | Float32Array,
    signal: AbortSignal,
  ): Promise<void> {
    signal.throwIfAborted();
    const ticket = ++tickets >>> 0;
    const filled = this.native.fill(ticket, Int32Array.from(region), into);
    const forget = onAbort(signal, () => this.native.stop(ticket));
    try {
      await filled;
    } finally {
      forget();
    }
    signal.throwIfAborted();
  }
}
