import { OptionError } from '../core/errors.js';
import { AXES, type Zyx, zyx } from '../core/geometry.js';
import { checkKeys, extentOf } from '../core/options.js';
import { makes } from '../core/step.js';
import type { Volume } from '../core/volume.js';

export interface EqualizeOptions {
  /** The lower and the upper percentile, as fractions in 0..1. Default `[0.5, 0.95]`. */
  readonly percentile?: readonly [number, number];
  /** What the upper percentile is raised to at most, in units of the lower one; above 0. Default 1.5. */
  readonly maxValue?: number;
  /** Extent of the windows in voxels, 1 to 1024 along each axis. Default `{ z: 5, y: 200, x: 200 }`. */
  readonly window?: number | Zyx;
  /** Voxels between the windows' centers, 1 to 1024 along each axis. Default `{ z: 5, y: 50, x: 50 }`. */
  readonly spacing?: number | Zyx;
  /** Whether voxels take the percentiles linearly between centers (1) or those of the nearest one (0). Default 1. */
  readonly interpolate?: 0 | 1;
  /** A volume of the same extent; voxels where it is 0 do not count in windows. Default: all count. */
  readonly mask?: Volume;
}

/**
 * Divides by the local brightness, so that cells in dim and bright regions reach like values.
 *
 * On a grid of centers that is anchored in the whole volume, both percentiles of the voxels of the windows around them, linear between
 * order statistics; a window of which no voxel counts has percentiles of 0. They are interpolated at each voxel, constant beyond the outer
 * centers, in float64. The gain is `1 / max(low, 1)`, or where that brings the upper percentile above `maxValue`, `maxValue / high`;
 * the result is the voxel times the gain, rounded once.
 *
 * @needs `source`, or the last image made before: uint8, uint16 or float32 [z, y, x], of known depth
 * @adds `equalized`: float32 [z, y, x], in units of the local lower percentile
 * @halo the way to the next center and its window: `spacing - 1 + floor(window / 2)` before, `spacing + window - 2 - floor(window / 2)` after
 * @throws {OptionError} at once, if the percentiles are not in order in 0..1, an extent is not an integer in 1..1024, maxValue is not a
 * finite number above 0, interpolate is neither 0 nor 1, or an option is unknown; in the stream, if the depth is not known
 * @source the method of ClearMap's `equalize`; Pizer et al., Comput. Vis. Graph. Image Process. 39, 355 (1987)
 * @example blocks(volume).pipe(equalize({ percentile: [0.4, 0.975] }), maxima({ threshold: 1 }), shape({ threshold: 1.3 }), cells())
 */
export function equalize(options: EqualizeOptions = {}) {
  checkKeys('equalize', options, ['percentile', 'maxValue', 'window', 'spacing', 'interpolate', 'mask']);
  const { percentile = [0.5, 0.95], maxValue = 1.5, interpolate = 1, mask } = options;
  const [low, high] = Array.isArray(percentile) && percentile.length === 2 ? percentile : [Number.NaN, Number.NaN];
  if (!(low >= 0 && low <= high && high <= 1)) {
    throw new OptionError('equalize', 'percentile', 'two fractions in 0..1, in order', percentile);
  }
  if (!(Number.isFinite(maxValue) && maxValue > 0)) {
    throw new OptionError('equalize', 'maxValue', 'a finite number above 0', maxValue);
  }
  if (interpolate !== 0 && interpolate !== 1) throw new OptionError('equalize', 'interpolate', '0 or 1', interpolate);
  const window = extentOf('equalize', options.window ?? { z: 5, y: 200, x: 200 }, AXES, 1024, 'window');
  const spacing = extentOf('equalize', options.spacing ?? { z: 5, y: 50, x: 50 }, AXES, 1024, 'spacing');
  const before = zyx((a) => spacing[a] - 1 + Math.floor(window[a] / 2));
  const after = zyx((a) => spacing[a] + window[a] - 2 - Math.floor(window[a] / 2));
  return makes('equalized', ['source'], {
    name: 'equalize',
    options: { percentile: [low, high], maxValue, window, spacing, interpolate, ...(mask && { mask }) },
    halo: { before, after },
    dtype: 'float32',
  });
}
