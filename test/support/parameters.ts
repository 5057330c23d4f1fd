/** Between a chain as the tests know it and the parameters of the reference implementation, which name sizes { x, y, z }. */
import { perAxis, type Zyx } from '../../core/geometry.js';
import type { Chain, Method } from './naive.js';
import type { Equalization } from './naiveFilters.js';
import type { Background, Illumination, Plane } from './naiveImages.js';

type Extent = number | Zyx;

/** The entries of a case, with planes of light of one kind or another; what is left out takes the default of the specification. */
export interface Parameters<Light = Plane> {
  readonly correctIllumination?:
    | (Pick<Illumination, 'scaling'> & { readonly flatfield: Light; readonly background?: Light })
    | null;
  readonly removeBackground?: (Omit<Background, 'size'> & { readonly size?: number | Background['size'] }) | null;
  readonly equalize?:
    | (Omit<Equalization, 'window' | 'spacing'> & { readonly window?: Extent; readonly spacing?: Extent })
    | null;
  readonly dog?: { readonly size: Extent; readonly sigma?: Extent; readonly sigma2?: Extent } | null;
  readonly maxima?: {
    readonly size?: Extent;
    readonly threshold?: number | null;
    readonly plateaus?: 'first' | 'all';
    readonly hMax?: number | null;
    readonly reach?: Extent;
  };
  readonly shape?: { readonly threshold?: number | null } | null;
  readonly intensity?: { readonly method?: Method; readonly radius?: number; readonly measure?: Chain['measure'] };
}

export function chainFrom(parameters: Parameters): Chain {
  const { correctIllumination, removeBackground = {}, equalize, dog, maxima = {}, shape = {}, intensity } = parameters;
  const element = removeBackground?.size ?? 10;
  const { reach, ...peaks } = maxima;
  return {
    ...(correctIllumination ? { correctIllumination } : {}),
    removeBackground: removeBackground && {
      ...removeBackground,
      size: typeof element === 'number' ? { y: element, x: element } : element,
    },
    ...(equalize ? { equalize: equalizationOf(equalize) } : {}),
    ...(dog ? { dog: { size: perAxis(dog.size), ...extents({ sigma: dog.sigma, sigma2: dog.sigma2 }) } } : {}),
    maxima: {
      ...peaks,
      size: perAxis(maxima.size ?? 5),
      threshold: maxima.threshold === undefined ? 0 : maxima.threshold,
      ...(reach === undefined ? {} : { reach: perAxis(reach) }),
    },
    shape: shape && { threshold: shape.threshold === undefined ? 700 : shape.threshold },
    method: intensity?.method ?? 'max',
    ...(intensity?.radius === undefined ? {} : { radius: intensity.radius }),
    measure: intensity?.measure ?? ['source', 'background'],
  };
}

function equalizationOf({ window, spacing, ...others }: NonNullable<Parameters['equalize']>): Equalization {
  return { ...others, ...extents({ window, spacing }) };
}

/** Those of the options that are given, along each axis. */
function extents<Name extends string>(options: Readonly<Record<Name, Extent | undefined>>): Partial<Record<Name, Zyx>> {
  const given = Object.entries<Extent | undefined>(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, perAxis(value as Extent)])) as Partial<
    Record<Name, Zyx>
  >;
}

/** As the reference reads it: planes of light are rows of pixels, a reach is a list, and grids are interpolated linearly. */
export function referenceParameters({
  correctIllumination,
  equalize,
  maxima,
  method = 'max',
  ...chain
}: Chain): object {
  const { interpolate = 1, ...equalization } = equalize ?? {};
  if (interpolate !== 1) throw new Error('the reference interpolates linearly');
  const { reach, ...peaks } = maxima;
  const { radius = 3, measure, ...steps } = chain;
  return {
    ...steps,
    correctIllumination: correctIllumination ? lightOf(correctIllumination) : null,
    equalize: equalize ? equalization : null,
    maxima: { ...peaks, ...(reach ? { reach: [reach.z, reach.y, reach.x] } : {}) },
    intensity: { method, radius, measure },
  };
}

function lightOf({ flatfield, background, scaling }: Illumination): object {
  return { flatfield: rowsOf(flatfield), ...(background ? { background: rowsOf(background) } : {}), scaling };
}

function rowsOf({ data, size: { y, x } }: Plane): number[][] {
  return Array.from({ length: y }, (_, row) => [...data.subarray(row * x, (row + 1) * x)]);
}
