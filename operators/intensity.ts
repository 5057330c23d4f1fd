import { FIXED_IMAGES, type FixedImage, type ImageResult } from '../core/block.js';
import { OptionError } from '../core/errors.js';
import { noHalo } from '../core/geometry.js';
import { checkKeys, checkOneOf } from '../core/options.js';
import { makes } from '../core/step.js';

export interface IntensityOptions<Measured extends ImageResult> {
  /** What is taken over a cell's voxels. Default `'max'`. */
  readonly method?: 'max' | 'min' | 'mean' | 'sum';
  /**
   * Images to measure, each a column of that name: steps' results, where a step that was skipped means its input, and channels
   * that `blocks` was given beside the volume. Default source and background.
   */
  readonly measure?: readonly Measured[];
  /** Without shapes: voxels within it of a center are measured; in voxels, 0 to 255, it may be fractional. Default 3. */
  readonly radius?: number;
}

/**
 * Measures images over each cell's shape or, without `shape()`, over the voxels inside the volume within a radius of its center.
 *
 * Sums are float64, one voxel after another in z, y, x order; the mean is the sum divided by the count.
 *
 * @needs `maxima`, and those measured images that are not always there
 * @adds `intensity`: a float64 column a measured image, in the order asked for and the image's unit
 * @halo without shapes the radius, around each measured image
 * @throws {OptionError} at once, if an image is named twice, the method is none of those named, the radius is out of range, or an
 * option is unknown; in the stream, if the block has no such image
 * @source Renier et al., Cell 165, 1789 (2016)
 * @example blocks(volume).pipe(removeBackground(), maxima(), shape(), intensity({ method: 'mean', measure: ['source'] }), cells())
 */
export function intensity<const Measured extends ImageResult = 'source' | 'background'>(
  options: IntensityOptions<Measured> = {},
) {
  checkKeys('intensity', options, ['method', 'measure', 'radius']);
  const { method = 'max', radius = 3 } = options;
  const { measure = ['source', 'background'] as readonly ImageResult[] as readonly Measured[] } = options;
  checkOneOf('intensity', 'method', method, ['max', 'min', 'mean', 'sum']);
  if (!Array.isArray(measure)) throw new OptionError('intensity', 'measure', 'a list of images', measure);
  for (const [at, name] of measure.entries()) {
    if (typeof name !== 'string') throw new OptionError('intensity', `measure[${at}]`, 'the name of an image', name);
    if (measure.indexOf(name) !== at) throw new OptionError('intensity', `measure[${at}]`, 'named once', name);
  }
  if (!(Number.isFinite(radius) && radius >= 0 && radius <= 255))
    throw new OptionError('intensity', 'radius', 'a number in 0..255', radius);
  const needs = measure.filter((name) => !(FIXED_IMAGES as readonly string[]).includes(name));
  return makes('intensity', ['maxima', ...needs] as ('maxima' | Exclude<Measured, FixedImage>)[], {
    name: 'intensity',
    options: { method, measure, radius },
    halo: noHalo,
  });
}
