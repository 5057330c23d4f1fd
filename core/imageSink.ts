import type { Region, Zyx } from './geometry.js';
import { bytesPerVoxel, type Dtype, type VolumeSize, type Voxels } from './volume.js';

/** The type of a voxel that is written: labels are wider than what is read. */
export type ImageDtype = Dtype | 'uint32';

/** Voxels that are written: x fastest, then y, then z. */
export type ImageVoxels = Voxels | Uint32Array;

export const bytesPerImageVoxel: Readonly<Record<ImageDtype, number>> = { ...bytesPerVoxel, uint32: 4 };

/** The image that a sink is to take. */
export interface ImageDescription {
  /** Of what is written; z is null while a running acquisition has not said how many planes it takes. */
  readonly size: VolumeSize;
  readonly dtype: ImageDtype;
  readonly voxelSizeUm?: Zyx;
}

/**
 * Where a step's result goes, block by block. A run calls `open`, then `write` for regions that tile the image, in any order, then
 * `close` or `abort`; each is awaited, but writes of different blocks may overlap in time. Its plain fields say what it is, for a
 * pipeline that is printed.
 */
export interface ImageSink {
  readonly format: string;
  readonly path: string;
  /** Gets ready, so that what would fail at the end of a long run fails before it. Leaves nothing where it rejects. */
  open(image: ImageDescription): Promise<void>;
  /** Resolves when the voxels, in z, y, x order, are handed to the system; they may change afterwards. */
  write(region: Region, voxels: ImageVoxels): Promise<void>;
  /** Resolves when all is safely stored under its final name; `depth` says how many planes there are in the end. */
  close(depth: number): Promise<void>;
  /** Leaves nothing behind. Harmless where nothing is open. */
  abort(): Promise<void>;
}
