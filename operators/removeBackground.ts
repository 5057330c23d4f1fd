import { OptionError } from '../core/errors.js';
import { step } from '../core/step.js';

export interface RemoveBackgroundOptions {
  /** Extent of the disk in pixels, in both axes or in each, 1 to 1024; larger than the largest cell. Default 10. */
  readonly size?: number | { readonly y: number; readonly x: number };
}

/**
 * Subtracts the local background, leaving what is smaller than the element.
 *
 * White top-hat of each z plane, `I - min(I, open(I))`: the opening is erosion by a flat disk, then dilation by the
 * reflected disk. Pixels outside the volume's plane never count. Exact integer arithmetic.
 *
 * @needs `source`: uint16 [z, y, x]
 * @adds `background`: same dtype and unit, `0 <= background <= input`
 * @halo none in z; in y and x what erosion and dilation reach, `size - 1`
 * @throws {OptionError} at once, if a size is not an integer in 1..1024
 * @source Serra, Image Analysis and Mathematical Morphology, 1982; Renier et al., Cell 165, 1789 (2016)
 * @example blocks(volume).pipe(removeBackground({ size: 10 }), maxima({ size: 5 }))
 */
export function removeBackground({ size = 10 }: RemoveBackgroundOptions = {}) {
  const { y, x } = typeof size === 'number' ? { y: size, x: size } : size;
  for (const [axis, extent] of [
    ['y', y],
    ['x', x],
  ] as const) {
    if (!Number.isInteger(extent) || extent < 1 || extent > 1024) {
      const option = typeof size === 'number' ? 'size' : `size.${axis}`;
      throw new OptionError('removeBackground', option, 'an integer in 1..1024', extent);
    }
  }
  const reach = { z: 0, y: y - 1, x: x - 1 };
  return step('background', ['source'], {
    name: 'removeBackground',
    options: { size: { y, x } },
    halo: { before: reach, after: reach },
  });
}
