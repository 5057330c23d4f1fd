import type { Zyx } from './geometry.js';
import type { VolumeSize, Voxels } from './volume.js';

/** Windows around cells, lent to a user's function until it settles. */
export interface CellWindows {
  /** The windows, one after another, each in z, y, x order, in the image's dtype; 0 where the volume has no voxels. */
  readonly voxels: Voxels;
  /** Extent of each window; its center is the voxel at `floor(size / 2)` along each axis. */
  readonly size: Zyx;
  /** Where in the volume the centers are: z, y, x of each. */
  readonly centers: Int32Array;
  /** Extent of the whole volume; z is null as long as a running acquisition has not come to its end. */
  readonly volume: VolumeSize;
}

/** The voxels of cells, lent to a user's function until it settles. */
export interface CellVoxels {
  /** The image's values, cell after cell, each cell's voxels in z, y, x order. */
  readonly voxels: Voxels;
  /** Where each cell's voxels begin, and one more for the end of the last. */
  readonly offsets: Uint32Array;
  /** Where in the volume the voxels are: z, y, x of each. */
  readonly positions: Int32Array;
  /** Where in the volume the centers are: z, y, x of each cell. */
  readonly centers: Int32Array;
}

/** Gives a number for each of `count` cells. */
export type MeasureFunction<Cells> = (
  cells: Cells,
  count: number,
  signal: AbortSignal,
) => Float64Array | Promise<Float64Array>;

/** What a user measures of cells: over a window around each or, where it is null, over the voxels of each. */
export type UserMeasure =
  | { readonly window: Zyx; readonly call: MeasureFunction<CellWindows> }
  | { readonly window: null; readonly call: MeasureFunction<CellVoxels> };
