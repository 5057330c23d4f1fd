import type { StepPlan } from './block.js';
import type { ChainImages, ImageNames, ImageNode } from './chainImages.js';
import { type Halo, type Zyx, zyx } from './geometry.js';
import type { CellVoxels, CellWindows, MeasureFunction } from './userMeasure.js';
import type { Dtype } from './volume.js';

/** A column of a table that a user's function gives. */
interface UserColumn {
  /** The step, as errors name it. */
  readonly step: string;
  readonly column: string;
  /** The image that is measured. */
  readonly image: number;
  readonly dtype: Dtype;
}

/** Measured over a window around each cell. */
export interface WindowColumn extends UserColumn {
  readonly window: Zyx;
  readonly call: MeasureFunction<CellWindows>;
}

/** Measured over the voxels of each cell. */
export interface VoxelColumn extends UserColumn {
  readonly window: null;
  readonly call: MeasureFunction<CellVoxels>;
}

/** The columns that the steps of a branch add, in order. Asks for what windows reach; who measures voxels asks for the image itself. */
export function userColumns(plans: readonly StepPlan[], names: ImageNames, images: ChainImages) {
  const all = plans.flatMap(({ name, options, measured }): (WindowColumn | VoxelColumn)[] => {
    if (!measured) return [];
    const { column, of } = options as { readonly column: string; readonly of: string };
    const image = names.of(of);
    const { dtype } = images.nodes[image] as ImageNode;
    if (measured.window) images.ask(image, reachOf(measured.window));
    return [{ step: name, column, image, dtype, ...measured }];
  });
  return {
    all,
    windows: all.filter((one): one is WindowColumn => one.window !== null),
    voxels: all.filter((one): one is VoxelColumn => one.window === null),
  };
}

/** What a window around a voxel reads before and behind it. */
function reachOf(window: Zyx): Halo {
  const before = zyx((a) => Math.floor(window[a] / 2));
  return { before, after: zyx((a) => window[a] - 1 - before[a]) };
}
