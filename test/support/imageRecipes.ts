/** The steps that make images as recipes; planes of light are painted for the volume that they are drawn for. */
import fc from 'fast-check';
import type { Zyx } from '../../core/geometry.js';
import type { Equalization, Gaussians } from './naiveFilters.js';
import type { Background, Illumination, ImageSteps, Plane } from './naiveImages.js';
import { random } from './random.js';

const fields = {
  ones: () => 1,
  /** Dark corners, of values that no float holds exactly. */
  vignette: ({ y, x }: { y: number; x: number }) => 0.3 + 0.9 * Math.exp(-(y * y + x * x)),
  /** Quotients that lie half way between integers, and dimming far enough that integers saturate. */
  eighths: (_: { y: number; x: number }, next: () => number) => (1 + Math.floor(next() * 16)) / 8,
} as const;

export interface IlluminationRecipe {
  readonly field: keyof typeof fields;
  readonly dark: boolean;
  readonly scaling: 'mean' | 'max' | number | null;
  readonly floats: 'float64' | 'float32';
  readonly seed: number;
}

export interface ImageRecipes {
  readonly correctIllumination?: IlluminationRecipe | null;
  readonly removeBackground: Background | null;
  readonly equalize?: Equalization | null;
  readonly dog?: Gaussians | null;
}

/** All but the background, which every chain may have; seldom all of them. */
export function imageRecipes(): fc.Arbitrary<Omit<ImageRecipes, 'removeBackground'>> {
  const perAxis = <T>(along: fc.Arbitrary<T>) => fc.record({ z: along, y: along, x: along });
  const illumination = fc.record({
    field: fc.constantFrom('ones' as const, 'vignette' as const, 'eighths' as const),
    dark: fc.boolean(),
    scaling: fc.constantFrom('mean' as const, 'max' as const, null, 0.5, 3),
    floats: fc.constantFrom('float64' as const, 'float32' as const),
    seed: fc.nat(1e6),
  });
  const equalization = fc.record({
    percentile: fc.constantFrom<readonly [number, number]>([0.5, 0.95], [0, 1], [0.25, 0.25], [0.1, 0.7]),
    maxValue: fc.constantFrom(1.5, 0.5, 1.1, 20),
    window: perAxis(fc.integer({ min: 1, max: 9 })),
    // Grids of very many points take long where nothing more can go wrong.
    spacing: perAxis(fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 3, max: 30 }) }, fc.constantFrom(1, 2))),
    interpolate: fc.constantFrom(1 as const, 1 as const, 0 as const),
  });
  const width = fc.constantFrom(0.3, 0.8, 1, 1.7, 4);
  // Larger than a small volume, a box is reflected at both of its edges.
  const extent = fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 1, max: 9 }) },
    { weight: 1, arbitrary: fc.integer({ min: 10, max: 15 }) },
  );
  const sigmas = fc.option(perAxis(width), { freq: 2 });
  const gaussians = fc
    .record({ size: perAxis(extent), sigma: sigmas, sigma2: sigmas })
    .map(({ size, sigma, sigma2 }) => ({ size, ...(sigma ? { sigma } : {}), ...(sigma2 ? { sigma2 } : {}) }));
  // Both make floats, and what follows has to see integers as well.
  const seldom = <T>(recipes: fc.Arbitrary<T>) =>
    fc.oneof({ weight: 2, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: recipes });
  const some = fc.record({
    correctIllumination: fc.option(illumination, { freq: 2 }),
    equalize: seldom(equalization),
    dog: seldom(gaussians),
  });
  const all = fc.record({ correctIllumination: illumination, equalize: equalization, dog: gaussians });
  return fc.oneof({ weight: 12, arbitrary: some }, { weight: 1, arbitrary: all });
}

/** The steps of recipes for a volume of this extent. */
export function imageStepsFor(
  { correctIllumination, removeBackground, equalize, dog }: ImageRecipes,
  size: Zyx,
): ImageSteps {
  return {
    ...(correctIllumination ? { correctIllumination: illuminationOf(correctIllumination, size) } : {}),
    removeBackground,
    ...(equalize ? { equalize } : {}),
    ...(dog ? { dog } : {}),
  };
}

function illuminationOf({ field, dark, scaling, floats, seed }: IlluminationRecipe, { y, x }: Zyx): Illumination {
  const next = random(seed);
  const plane = (value: (at: number) => number): Plane => {
    const data = Float64Array.from({ length: y * x }, (_, at) => value(at));
    return { data: floats === 'float64' ? data : Float32Array.from(data), size: { y, x } };
  };
  const below = plane(() => Math.floor(next() * 300) / 2);
  const flatfield = plane((at) => {
    const offset = dark ? (below.data[at] as number) : 0;
    return offset + fields[field]({ y: Math.floor(at / x) / y, x: (at % x) / x }, next);
  });
  return { flatfield, ...(dark ? { background: below } : {}), scaling };
}
