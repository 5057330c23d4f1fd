import { FIXED_IMAGES, type FixedImage, type ImageResult } from '../core/block.js';
import { OptionError } from '../core/errors.js';
import { noHalo } from '../core/geometry.js';
import { step } from '../core/step.js';

export interface IntensityOptions<Measured extends ImageResult> {
  /** What is taken over a cell's voxels. Default `'max'`. */
  readonly method?: 'max';
  /** Images to measure, each a column of that name; a step that was skipped means its input. Default source and background. */
  readonly measure?: readonly Measured[];
}

/**
 * Measures images over each cell's shape.
 *
 * @needs `shape`, and those measured images that are not always there
 * @adds `intensity`: a float64 column a measured image, in the order asked for and the image's unit
 * @halo none
 * @throws {OptionError} at once, if an image is unknown or named twice, or the method is
 * @source Renier et al., Cell 165, 1789 (2016)
 * @example blocks(volume).pipe(removeBackground(), maxima(), shape(), intensity({ measure: ['source'] }), cells())
 */
export function intensity<const Measured extends ImageResult = 'source' | 'background'>({
  method = 'max',
  measure = ['source', 'background'] as readonly ImageResult[] as readonly Measured[],
}: IntensityOptions<Measured> = {}) {
  if (method !== 'max') throw new OptionError('intensity', 'method', "'max'", method);
  for (const [at, name] of measure.entries()) {
    if (!(FIXED_IMAGES as readonly string[]).includes(name)) {
      throw new OptionError('intensity', `measure[${at}]`, `one of ${FIXED_IMAGES.join(', ')}`, name);
    }
    if (measure.indexOf(name) !== at) throw new OptionError('intensity', `measure[${at}]`, 'named once', name);
  }
  const needs = measure.filter((name) => !(FIXED_IMAGES as readonly string[]).includes(name));
  return step('intensity', ['shape', ...needs] as ('shape' | Exclude<Measured, FixedImage>)[], {
    name: 'intensity',
    options: { method, measure },
    halo: noHalo,
  });
}
