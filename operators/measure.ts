import { FIXED_IMAGES, type FixedImage, type ImageResult, type Result, type Step } from '../core/block.js';
import { OptionError } from '../core/errors.js';
import { AXES, noHalo, type Zyx } from '../core/geometry.js';
import { checkKeys, extentOf } from '../core/options.js';
import { asStep } from '../core/step.js';
import type { CellVoxels, CellWindows, MeasureFunction, UserMeasure } from '../core/userMeasure.js';

export interface MeasureOptions<Of extends ImageResult> {
  /** The image whose voxels are given. */
  readonly of: Of;
  /** Extent in voxels of the window around each cell's center, along all axes or each, 1 to 255. Left out: the cell's own voxels. */
  readonly window?: number | Zyx;
}

/**
 * Measures each cell by a function of the user's own, over a window around its center or over its voxels.
 *
 * The function is called with many cells at a time and gives a number for each, at once or later; it must make the same of a cell
 * whichever others come with it. It runs on the JavaScript thread, where nothing else runs while it works. A window of size s reaches from
 * p - floor(s / 2) over s voxels; what of it lies outside the volume is 0. With windows the function may be called for maxima that turn
 * out to be no cell of their own: of several on one plateau only the first is. What is given is lent until the function settles.
 *
 * @needs `maxima`, the image, and without a window `shape`
 * @adds a float64 column of the name, behind those of steps before, in the unit that the function gives
 * @halo the window's reach around the image
 * @throws {OptionError} at once, if the name is not of letters, digits and '_', an extent is not an integer in 1..255, the function is none,
 * or an option is unknown; in the stream, if there is another column of that name
 * @throws {StepError} in the stream, inside a `BlockError` that names the region, if the function throws or gives another number of values
 * @example
 * const spread = measure('spread', { of: 'source', window: { z: 1, y: 9, x: 9 } }, ({ voxels }, count) =>
 *   Float64Array.from({ length: count }, (_, cell) => Math.max(...voxels.subarray(cell * 81, cell * 81 + 81))));
 * blocks(volume).pipe(removeBackground(), maxima(), shape(), spread, cells())
 */
export function measure<const Of extends ImageResult>(
  name: string,
  options: MeasureOptions<Of> & { readonly window: number | Zyx },
  call: MeasureFunction<CellWindows>,
): Step<'maxima' | Exclude<Of, FixedImage>, never>;
export function measure<const Of extends ImageResult>(
  name: string,
  options: MeasureOptions<Of> & { readonly window?: never },
  call: MeasureFunction<CellVoxels>,
): Step<'maxima' | 'shape' | Exclude<Of, FixedImage>, never>;
export function measure(
  name: string,
  options: MeasureOptions<ImageResult>,
  call: MeasureFunction<CellWindows> | MeasureFunction<CellVoxels>,
): Step<Result, never> {
  if (typeof name !== 'string' || !/^[A-Za-z]\w*$/.test(name)) {
    throw new OptionError('measure', 'name', "of letters, digits and '_', a letter first", name);
  }
  const where = `measure ${name}`;
  checkKeys(where, options, ['of', 'window']);
  const { of, window: asked } = options;
  if (typeof of !== 'string') throw new OptionError(where, 'of', 'the name of an image', of);
  if (typeof call !== 'function') throw new OptionError(where, 'the function', 'one of cells and their count', call);
  const window = asked === undefined ? null : extentOf(where, asked, AXES, 255, 'window');
  const isFixed = (FIXED_IMAGES as readonly string[]).includes(of);
  const measured = { window, call } as UserMeasure;
  return asStep([
    {
      name: where,
      options: { column: name, of, window },
      adds: [],
      needs: ['maxima', ...(window ? [] : ['shape' as const]), ...(isFixed ? [] : [of])],
      halo: noHalo,
      measured,
    },
  ]);
}
