import { AXES, type Zyx, zyx } from '../core/geometry.js';
import { checkKeys, checkOneOf, checkThreshold, extentOf } from '../core/options.js';
import { step } from '../core/step.js';

export interface MaximaOptions {
  /** Extent of the window in voxels, along all axes or each, 1 to 255. Default 5. */
  readonly size?: number | Zyx;
  /** Maxima are above it, in the image's unit; null: all peaks. Default 0. */
  readonly threshold?: number | null;
  /** Of equal peaks in a window, whether only the first is a maximum, or all are, as in ClearMap 2. Default `'first'`. */
  readonly plateaus?: 'first' | 'all';
}

/**
 * Finds the voxels that no voxel of the window around them exceeds.
 *
 * A peak is a voxel that none of its window exceeds; the window of size s reaches from p - floor(s / 2) over s voxels, clipped to
 * the volume. Maxima are the peaks above `threshold`; with `plateaus: 'first'` only those without an equal peak before them, in
 * z, y, x order, in their window.
 *
 * @needs `source`, or the last image made before: uint8, uint16 or float32 [z, y, x]
 * @adds `maxima`: positions, in z, y, x order
 * @halo the window's reach; with `'first'` twice that in y and x, and before in z, where equal peaks may be
 * @throws {OptionError} at once, if a size is not an integer in 1..255, the threshold is not a finite number or null, plateaus is
 * neither of those named, or an option is unknown
 * @source Renier et al., Cell 165, 1789 (2016)
 * @example blocks(volume).pipe(removeBackground(), maxima({ size: { z: 3, y: 5, x: 5 }, threshold: 100 }))
 */
export function maxima(options: MaximaOptions = {}) {
  checkKeys('maxima', options, ['size', 'threshold', 'plateaus']);
  const { size = 5, threshold = 0, plateaus = 'first' } = options;
  const window = extentOf('maxima', size, AXES, 255);
  checkThreshold('maxima', threshold);
  checkOneOf('maxima', 'plateaus', plateaus, ['first', 'all']);
  const low = zyx((a) => Math.floor(window[a] / 2));
  const high = zyx((a) => window[a] - 1 - low[a]);
  // An equal peak before p is in an earlier plane or in p's own, so behind p only p's and its equals' own windows reach.
  const twice = { before: zyx((a) => 2 * low[a]), after: { z: high.z, y: 2 * high.y, x: 2 * high.x } };
  return step('maxima', ['source'], {
    name: 'maxima',
    options: { size: window, threshold, plateaus },
    halo: plateaus === 'first' ? twice : { before: low, after: high },
  });
}
