import { OptionError } from '../core/errors.js';
import { AXES, perAxis, type Zyx, zyx } from '../core/geometry.js';
import { step } from '../core/step.js';

export interface MaximaOptions {
  /** Extent of the window in voxels, along all axes or each, 1 to 255. Default 5. */
  readonly size?: number | Zyx;
  /** Maxima are above it, in the image's unit; null: all peaks. Default 0. */
  readonly threshold?: number | null;
}

/**
 * Finds the voxels that no voxel of the window around them exceeds, one for each plateau that fits in a window.
 *
 * A peak is a voxel that none of its window exceeds; the window of size s reaches from p - floor(s / 2) over s voxels, clipped to
 * the volume. Maxima are the peaks above `threshold` without an equal peak before them, in z, y, x order, in their window.
 *
 * @needs `source`, or the last image made before: uint16 [z, y, x]
 * @adds `maxima`: positions, in z, y, x order
 * @halo twice the window's reach in y and x, and before in z, where equal peaks may be; once its reach behind in z
 * @throws {OptionError} at once, if a size is not an integer in 1..255, or the threshold is not a number or null
 * @source Renier et al., Cell 165, 1789 (2016); SPEC.md "maxima", `plateaus: 'first'`
 * @example blocks(volume).pipe(removeBackground(), maxima({ size: { z: 3, y: 5, x: 5 }, threshold: 100 }))
 */
export function maxima({ size = 5, threshold = 0 }: MaximaOptions = {}) {
  const window = perAxis(size);
  for (const axis of AXES) {
    if (!Number.isInteger(window[axis]) || window[axis] < 1 || window[axis] > 255) {
      const option = typeof size === 'number' ? 'size' : `size.${axis}`;
      throw new OptionError('maxima', option, 'an integer in 1..255', window[axis]);
    }
  }
  if (threshold !== null && !Number.isFinite(threshold)) {
    throw new OptionError('maxima', 'threshold', 'a finite number or null', threshold);
  }
  const low = zyx((a) => Math.floor(window[a] / 2));
  const high = zyx((a) => window[a] - 1 - low[a]);
  // An equal peak before p is in an earlier plane or in p's own, so behind p only p's and its equals' own windows reach.
  return step('maxima', ['source'], {
    name: 'maxima',
    options: { size: window, threshold },
    halo: { before: zyx((a) => 2 * low[a]), after: { z: high.z, y: 2 * high.y, x: 2 * high.x } },
  });
}
