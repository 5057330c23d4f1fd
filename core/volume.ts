import type { Dtype } from '../native/index.js';
import type { Region, Zyx } from './geometry.js';

export type { Dtype };

/** Voxels in memory: x fastest, then y, then z. */
export type Voxels = Uint8Array | Uint16Array | Float32Array;

/** The extent of a volume; z is null while a running acquisition has not said how many planes it takes. */
export interface VolumeSize {
  readonly z: number | null;
  readonly y: number;
  readonly x: number;
}

/**
 * Where voxels come from: a file, an array, a running acquisition. It is described at once and read later, region by
 * region; several reads may be under way at a time.
 */
export interface Volume {
  /** Tells volumes apart in error messages and merged streams. */
  readonly id: string;
  readonly size: VolumeSize;
  readonly dtype: Dtype;
  /** Edge lengths of a voxel in µm, where the source knows them. */
  readonly voxelSizeUm?: Zyx;
  /** The boxes in which the source is stored; cores follow them so that each is decoded once. */
  readonly chunks?: Zyx;
  /** For sources that keep only so many planes: how many; a chain that needs more of them at once is refused. */
  readonly keepsPlanes?: number;
  /**
   * Fills `into` with the voxels of `region`, in z, y, x order; `into` holds exactly that many and has the dtype.
   * Resolves when all are there, which for a running acquisition may take as long as the microscope does. Rejects with
   * a `SourceError`, or with the signal's reason once it is aborted; nothing is written into `into` after it settled.
   */
  read(region: Region, into: Voxels, signal: AbortSignal): Promise<void>;
  /**
   * Resolves once `count` planes have arrived, or the end is known before that, with the number of planes that there
   * are for certain: at least `count`, or the final depth. Needed only where `size.z` is null.
   */
  arrived?(count: number, signal: AbortSignal): Promise<number>;
  /** Says that no plane before `z` will be read again. */
  release?(z: number): void;
}

export const bytesPerVoxel: Readonly<Record<Dtype, number>> = { uint8: 1, uint16: 2, float32: 4 };

/** A view of `length` voxels, at a byte of a buffer that their size divides. */
export function voxelsOver(dtype: Dtype, buffer: ArrayBufferLike, offsetBytes: number, length: number): Voxels {
  switch (dtype) {
    case 'uint8':
      return new Uint8Array(buffer, offsetBytes, length);
    case 'uint16':
      return new Uint16Array(buffer, offsetBytes, length);
    case 'float32':
      return new Float32Array(buffer, offsetBytes, length);
  }
}
