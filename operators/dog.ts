import { OptionError } from '../core/errors.js';
import { AXES, type Zyx, zyx } from '../core/geometry.js';
import { checkKeys, extentOf } from '../core/options.js';
import { makes } from '../core/step.js';

export interface DogOptions {
  /** Extent of the box that both Gaussians are cut to, in voxels, along all axes or each, 1 to 128; about that of a cell. */
  readonly size: number | Zyx;
  /** Standard deviation of the Gaussian that is kept, in voxels, along all axes or each. Default `sigma2 / 1.5`. */
  readonly sigma?: number | Zyx;
  /** Standard deviation of the one that is subtracted. Default `size / (2 sqrt(2 ln 2))`, whose width at half height is `size`. */
  readonly sigma2?: number | Zyx;
}

/**
 * Brings out what is as large as the box, by the difference of two Gaussians.
 *
 * `D = A - B`, A and B the correlations with Gaussians of `sigma` and `sigma2`, each cut to the box and normalised to sum 1 there. The
 * box of size s reaches from p - floor(s / 2) over s voxels; even sizes sample the Gaussian between voxels. Volume edges reflect
 * (d c b a | a b c d). The result is D where `D > 2^-20 |A|`, else 0: what is not above rounding is nothing. Computed in
 * float32, with an error below 1e-5 of the largest voxel; the same bits for every layout and processor.
 *
 * @needs `source`, or the last image made before: uint8, uint16 or float32 [z, y, x], of magnitudes up to 2^125
 * @adds `dog`: float32 [z, y, x], in the input's unit, `0 <= dog`
 * @halo the box's reach: `floor(size / 2)` before and `size - 1 - floor(size / 2)` after, along each axis
 * @throws {OptionError} at once, if a size is not an integer in 1..128, a sigma is not a finite number above 0, or an option is
 * unknown
 * @source Marr & Hildreth, Proc. R. Soc. B 207, 187 (1980); Renier et al., Cell 165, 1789 (2016)
 * @example blocks(volume).pipe(removeBackground(), dog({ size: { z: 6, y: 10, x: 10 } }), maxima({ threshold: 20 }), cells())
 */
export function dog(options: DogOptions) {
  checkKeys('dog', options, ['size', 'sigma', 'sigma2']);
  const size = extentOf('dog', options.size, AXES, 128);
  const { sigma2 = zyx((a) => size[a] / 2 / Math.sqrt(2 * Math.log(2))) } = options;
  const subtracted = sigmasOf('sigma2', sigma2);
  const { sigma = zyx((a) => subtracted[a] / 1.5) } = options;
  const kept = sigmasOf('sigma', sigma);
  // Reflection reads no further: where the box sticks out of the volume, what it meets there is inside the box as well.
  const before = zyx((a) => Math.floor(size[a] / 2));
  const after = zyx((a) => size[a] - 1 - before[a]);
  return makes('dog', ['source'], {
    name: 'dog',
    options: { size, sigma: kept, sigma2: subtracted },
    dtype: 'float32',
    halo: { before, after },
  });
}

function sigmasOf(option: 'sigma' | 'sigma2', given: number | Zyx): Zyx {
  const alike = typeof given !== 'object' || given === null;
  if (!alike) checkKeys('dog', given, AXES, option);
  return zyx((a) => {
    const sigma = alike ? given : given[a];
    if (Number.isFinite(sigma) && sigma > 0) return sigma;
    throw new OptionError('dog', alike ? option : `${option}.${a}`, 'a finite number above 0', sigma);
  });
}
