import { OptionError } from '../core/errors.js';
import { noHalo } from '../core/geometry.js';
import { checkFields, type IlluminationPlan } from '../core/illumination.js';
import { checkKeys } from '../core/options.js';
import { PlaneField } from '../core/planeField.js';
import { makes } from '../core/step.js';
import { checkLine, checkPlane, type FieldLine, type FieldPlane } from './flatfield.js';

export interface CorrectIlluminationOptions {
  /**
   * How bright each pixel of a plane appears under even light, in any unit: a plane, or a line along x or y that is repeated
   * along the other axis. Of the volume's extent.
   */
  readonly flatfield: FieldPlane | FieldLine;
  /** What each pixel shows without light, in the unit of the flat field and of the image. Default null: 0. */
  readonly background?: FieldPlane | FieldLine | null;
  /** What the ratio is multiplied by: a number above 0, null for 1, or `'mean'` or `'max'` of the flat field over the plane. Default `'mean'`. */
  readonly scaling?: number | 'mean' | 'max' | null;
}

/**
 * Evens out the illumination of planes.
 *
 * Each z plane becomes `((I - B) / (F - B)) * scaling`, from left to right in float64, F being the flat field and B the background.
 * The result has the input's dtype: integers are rounded half to even and saturated; floats are rounded once, and what exceeds
 * the greatest finite float32 becomes that. The mean of F is its float64 sum in y, x order over the number of pixels. Fields are
 * copied; a file's plane is read with `readFlatfield`.
 *
 * @needs `source`: uint8, uint16 or float32 [z, y, x]
 * @adds `illumination`: same dtype, in the input's unit times that of `scaling` over the flat field's
 * @halo none
 * @throws {OptionError} at once, if a field is neither a plane nor a line, the two are of different extent, F - B is not above 0 and
 * finite at a pixel (the first is named), the scaling is none of those, or an option is unknown
 * @throws {OptionError} in the stream, if a field is not of the extent of the volume's planes
 * @source Model and Burkhardt, Cytometry 44, 309 (2001); Renier et al., Cell 165, 1789 (2016)
 * @example applied(volume, correctIllumination({ flatfield: await readFlatfield('flatfield.npy') }))
 * @example applied(volume, correctIllumination({ flatfield: { line: new Float64Array(volume.size.x).fill(2), axis: 'x' }, scaling: null }))
 */
export function correctIllumination(options: CorrectIlluminationOptions) {
  checkKeys('correctIllumination', options, ['flatfield', 'background', 'scaling']);
  const { flatfield, background = null, scaling = 'mean' } = options;
  const named = scaling === null || scaling === 'mean' || scaling === 'max';
  if (!named && !(Number.isFinite(scaling) && scaling > 0)) {
    throw new OptionError('correctIllumination', 'scaling', "a number above 0, 'mean', 'max' or null", scaling);
  }
  const plan: IlluminationPlan = {
    flatfield: fieldOf('flatfield', flatfield),
    background: background === null ? null : fieldOf('background', background),
    scaling,
  };
  checkFields(plan.flatfield, plan.background);
  return makes('illumination', ['source'], { name: 'correctIllumination', options: { ...plan }, halo: noHalo });
}

function fieldOf(option: string, given: FieldPlane | FieldLine): PlaneField {
  const isObject = typeof given === 'object' && given !== null;
  if (isObject && 'line' in given) {
    checkKeys('correctIllumination', given, ['line', 'axis'], option);
    const { line, axis } = given;
    checkLine('correctIllumination', line, axis, `${option}.`);
    return new PlaneField(line, axis === 'x' ? { y: null, x: line.length } : { y: line.length, x: null });
  }
  if (isObject && 'data' in given) {
    checkKeys('correctIllumination', given, ['data', 'size'], option);
    checkPlane('correctIllumination', given, `${option}.`);
    return new PlaneField(given.data, { y: given.size.y, x: given.size.x });
  }
  const expected = 'a plane { data, size } or a line { line, axis } (of a file: await readFlatfield(path))';
  throw new OptionError('correctIllumination', option, expected, isObject ? Object.keys(given).join(', ') : given);
}
