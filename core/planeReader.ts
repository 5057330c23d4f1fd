import type { ChainConfig } from '../native/index.js';
import type { AnyBlock } from './block.js';
import { arrivedPlanes } from './blocks.js';
import type { ChainPlan } from './chainPlan.js';
import { extent, type Region, voxelCount } from './geometry.js';
import { maskPlace, maskRegion } from './tissue.js';
import { bytesPerVoxel, type Volume, voxelsOver } from './volume.js';

/** Planes that have been read. */
export interface Planes {
  readonly count: number;
  readonly last: boolean;
  /** The first plane that is not read yet. */
  readonly next: number;
}

/** What is read into one ring: whole regions of a volume, plane z into the place of plane z. */
interface Input {
  readonly volume: Volume;
  readonly region: Region;
  readonly ring: SharedArrayBuffer;
  /** The plane of the volume that belongs to plane z of the block. */
  readonly plane: (z: number) => number;
}

export interface PlaneReaderOptions {
  readonly block: AnyBlock;
  readonly chain: ChainPlan;
  readonly config: ChainConfig;
  /** The rings of the chain's inputs, that of the mask last. */
  readonly rings: readonly SharedArrayBuffer[];
  readonly signal: AbortSignal;
  /** Told before each read, and how many bytes it asks for. */
  readonly reading: (bytes: number) => void;
}

/** Reads a block's planes, batch after batch, of each input into its ring. */
export class PlaneReader {
  private readonly inputs: readonly Input[];
  private readonly region: Region;
  private readonly ringPlanes: number;
  private at: number;

  constructor(private readonly options: PlaneReaderOptions) {
    const { block, chain, config, rings } = options;
    const { mask, volume, core } = block;
    const ring = (at: number) => rings[at] as SharedArrayBuffer;
    const images = chain.inputs(block).map((input, at) => ({ ...input, ring: ring(at), plane: (z: number) => z }));
    const masks = mask && config.tissue ? [{ mask, ...maskRegion(mask, volume, core) }] : [];
    const tissue = masks.map(({ mask, start, stop }) => ({
      volume: mask,
      region: { start: { ...start, z: core.start.z }, stop: { ...stop, z: core.stop.z } },
      ring: ring(images.length),
      plane: (z: number) => maskPlace(z, volume.size.z as number, mask.size.z as number),
    }));
    this.inputs = [...images, ...tissue];
    this.region = chain.readRegion(block);
    this.ringPlanes = chain.sourcePlanes(config);
    this.at = this.region.start.z;
  }

  /** Reads the next batch. Settles only when nothing is written into the rings any more. */
  async next(): Promise<Planes> {
    const { block, config, signal } = this.options;
    const { stop } = this.region;
    const from = this.at;
    const wanted = Math.min(from + config.batchPlanes, stop.z);
    const depth = await arrivedPlanes(block.volume, wanted, signal);
    const to = Math.min(wanted, depth);
    this.at = to;
    // The volume may end where nobody could know before: after this batch, or in the middle of it.
    const last = to >= stop.z || to < wanted || (await arrivedPlanes(block.volume, to + 1, signal)) <= to;
    const reads = await Promise.allSettled(this.inputs.map((input) => this.read(input, from, to)));
    for (const read of reads) if (read.status === 'rejected') throw read.reason;
    return { count: to - from, last, next: to };
  }

  /** Reads planes of one input, as far as its region has them; planes of a mask that is coarser come again and again. */
  private async read({ volume, region, ring, plane }: Input, from: number, to: number): Promise<void> {
    const { y, x } = extent(region);
    const pixels = y * x;
    const planeBytes = pixels * bytesPerVoxel[volume.dtype];
    const end = Math.min(to, region.stop.z);
    for (let z = Math.max(from, region.start.z); z < end; ) {
      const first = plane(z);
      let next = z + 1;
      while (next < end && plane(next) === first + (next - z)) next++;
      const slot = (z - this.region.start.z) % this.ringPlanes;
      const asked = { start: { ...region.start, z: first }, stop: { ...region.stop, z: first + (next - z) } };
      this.options.reading(voxelCount(asked) * bytesPerVoxel[volume.dtype]);
      const into = voxelsOver(volume.dtype, ring, slot * planeBytes, voxelCount(asked));
      await volume.read(asked, into, this.options.signal);
      z = next;
    }
  }
}
