import { OptionError } from '../core/errors.js';
import { AXES, greaterHalo, noHalo, type Zyx, zyx } from '../core/geometry.js';
import { checkKeys, checkOneOf, checkThreshold, extentOf } from '../core/options.js';
import { makes } from '../core/step.js';

export interface MaximaOptions {
  /** Extent of the window in voxels, along all axes or each, 1 to 255. Default 5. */
  readonly size?: number | Zyx;
  /** Maxima are above it, in the image's unit; null: all peaks. Default 0. */
  readonly threshold?: number | null;
  /** Of equal peaks in a window, whether only the first is a maximum, or all are, as in ClearMap 2. Default `'first'`. */
  readonly plateaus?: 'first' | 'all';
  /** Maxima stand out from what is around them by more than this, in the image's unit; null: they need not. Default null. */
  readonly hMax?: number | null;
  /** How far that is looked at, in voxels, along all axes or each, 0 to 255. Default 16. */
  readonly reach?: number | Zyx;
}

/**
 * Finds the voxels that no voxel of the window around them exceeds.
 *
 * A peak is a voxel that none of its window exceeds; the window of size s reaches from p - floor(s / 2) over s voxels, clipped to
 * the volume. Maxima are the peaks above `threshold`; with `plateaus: 'first'` only those without an equal peak before them, in
 * z, y, x order, in their window. With `hMax` a maximum of value m stays only if the 26-connected region of voxels >= m - hMax around
 * it, within `reach` and the volume, holds no greater voxel and no equal one before it: where regions fit in the reach and the window is
 * at most 3, these are the maxima of the h-maxima transform.
 *
 * @needs `source`, or the last image made before: uint8, uint16 or float32 [z, y, x]
 * @adds `maxima`: positions, in z, y, x order
 * @halo the window's reach; with `'first'` twice that in y and x, and before in z, where equal peaks may be; with `hMax` at least
 * `reach` on all sides
 * @throws {OptionError} at once, if a size is not an integer in 1..255, a threshold is not a finite number or null, hMax
 * is negative, a reach is not in 0..255, plateaus is neither of those named, or an option is unknown
 * @source Renier et al., Cell 165, 1789 (2016); Soille, Morphological Image Analysis, 2004, 6.3.4
 * @example blocks(volume).pipe(removeBackground(), maxima({ size: { z: 3, y: 5, x: 5 }, threshold: 100 }), cells())
 */
export function maxima(options: MaximaOptions = {}) {
  checkKeys('maxima', options, ['size', 'threshold', 'plateaus', 'hMax', 'reach']);
  const { size = 5, threshold = 0, plateaus = 'first', hMax = null, reach = 16 } = options;
  const window = extentOf('maxima', size, AXES, 255);
  checkThreshold('maxima', threshold);
  checkOneOf('maxima', 'plateaus', plateaus, ['first', 'all']);
  if (hMax !== null && !(Number.isFinite(hMax) && hMax >= 0)) {
    throw new OptionError('maxima', 'hMax', 'a finite number of at least 0, or null', hMax);
  }
  const far = extentOf('maxima', reach, AXES, 255, 'reach', 0);
  const low = zyx((a) => Math.floor(window[a] / 2));
  const high = zyx((a) => window[a] - 1 - low[a]);
  // An equal peak before p is in an earlier plane or in p's own, so behind p only p's and its equals' own windows reach.
  const twice = { before: zyx((a) => 2 * low[a]), after: { z: high.z, y: 2 * high.y, x: 2 * high.x } };
  return makes('maxima', ['source'], {
    name: 'maxima',
    options: { size: window, threshold, plateaus, hMax, reach: far },
    halo: greaterHalo(
      plateaus === 'first' ? twice : { before: low, after: high },
      hMax === null ? noHalo : { before: far, after: far },
    ),
  });
}
