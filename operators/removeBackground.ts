import type { Halo } from '../core/geometry.js';
import { checkKeys, checkOneOf, extentOf } from '../core/options.js';
import { makes } from '../core/step.js';

export interface RemoveBackgroundOptions {
  /** Extent of the element in pixels, in both axes or in each, 1 to 1024; larger than the largest cell. Default 10. */
  readonly size?: number | { readonly y: number; readonly x: number };
  /** Outline of the flat element. Default `'disk'`. */
  readonly form?: 'disk' | 'rectangle';
  /**
   * `'symmetric'` is the morphological opening. `'clearmap'` dilates by the element itself instead of the reflected one, as ClearMap
   * does: the same for odd sizes, a pixel off for even ones. Default `'symmetric'`.
   */
  readonly opening?: 'symmetric' | 'clearmap';
}

/**
 * Subtracts the local background, leaving what is smaller than the element.
 *
 * White top-hat of each z plane, `I - min(I, open(I))`: the opening is erosion by a flat element, then dilation by the
 * reflected one. Pixels outside the volume's plane never count. Exact arithmetic.
 *
 * @needs `source`, or the last image made before: uint8, uint16 or float32 [z, y, x]
 * @adds `background`: same dtype and unit, `0 <= background <= input`
 * @halo none in z; in y and x what erosion and dilation reach: `size - 1` on both sides, or with `'clearmap'`
 * `2 * floor(size / 2)` before and `2 * (size - 1 - floor(size / 2))` after
 * @throws {OptionError} at once, if a size is not an integer in 1..1024, form or opening is none of those named, or an option is unknown
 * @source Serra, Image Analysis and Mathematical Morphology, 1982; Renier et al., Cell 165, 1789 (2016)
 * @example blocks(volume).pipe(removeBackground({ size: 10 }), maxima({ size: 5 }), cells())
 */
export function removeBackground(options: RemoveBackgroundOptions = {}) {
  checkKeys('removeBackground', options, ['size', 'form', 'opening']);
  const { size = 10, form = 'disk', opening = 'symmetric' } = options;
  const element = extentOf('removeBackground', size, ['y', 'x'], 1024);
  checkOneOf('removeBackground', 'form', form, ['disk', 'rectangle']);
  checkOneOf('removeBackground', 'opening', opening, ['symmetric', 'clearmap']);
  return makes('background', ['source'], {
    name: 'removeBackground',
    options: { size: element, form, opening },
    halo: haloOf(element, opening),
  });
}

function haloOf({ y, x }: { y: number; x: number }, opening: 'symmetric' | 'clearmap'): Halo {
  // Erosion reads from -half on, and so does a dilation that is not reflected: twice the same side, not one side each.
  const before = (size: number) => (opening === 'clearmap' ? 2 * Math.floor(size / 2) : size - 1);
  const after = (size: number) => (opening === 'clearmap' ? 2 * (size - 1 - Math.floor(size / 2)) : size - 1);
  return { before: { z: 0, y: before(y), x: before(x) }, after: { z: 0, y: after(y), x: after(x) } };
}
