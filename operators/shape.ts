import { noHalo } from '../core/geometry.js';
import { checkKeys, checkThreshold } from '../core/options.js';
import { makes } from '../core/step.js';

export interface ShapeOptions {
  /** Voxels of cells are above it, in the image's unit; null: every voxel belongs to a cell. Default 700. */
  readonly threshold?: number | null;
}

/**
 * Divides the voxels above a threshold among the maxima.
 *
 * Seeded watershed of the negated image inside `image > threshold`, 6-connected. Seeds are the maxima inside, in
 * z, y, x order; of seeds on one 6-connected plateau of equal value only the first stays, unless `maxima` keeps `'all'`.
 * Voxels leave the queue greatest value first, among equals in the order of queueing. A component that crosses cores is put
 * together first and divided once.
 *
 * @needs `maxima`
 * @adds `shape`: for each cell its voxels; the column `size`, in voxels
 * @halo none
 * @throws {OptionError} at once, if the threshold is not a finite number or null, or an option is unknown
 * @source Meyer, Color image segmentation, 1992; Renier et al., Cell 165, 1789 (2016)
 * @example blocks(volume).pipe(removeBackground(), maxima(), shape({ threshold: 700 }), cells())
 */
export function shape(options: ShapeOptions = {}) {
  checkKeys('shape', options, ['threshold']);
  const { threshold = 700 } = options;
  checkThreshold('shape', threshold);
  return makes('shape', ['maxima'], { name: 'shape', options: { threshold }, halo: noHalo });
}
