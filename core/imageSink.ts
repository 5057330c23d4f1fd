import type { Region, Zyx } from './geometry.js';
import type { Dtype, VolumeSize, Voxels } from './volume.js';

/** The image that a sink is to take. */
export interface ImageDescription {
  /** Of what is written; z is null while a running acquisition has not said how many planes it takes. */
  readonly size: VolumeSize;
  readonly dtype: Dtype;
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
  write(region: Region, voxels: Voxels): Promise<void>;
  /** Resolves when all is safely stored under its final name; `depth` says how many planes there are in the end. */
  close(depth: number): Promise<void>;
  /** Leaves nothing behind. Harmless where nothing is open. */
  abort(): Promise<void>;
}
