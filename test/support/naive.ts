/**
 * The chain for one volume as a whole, written for plainness and nothing else: what SPEC.md says, line by line.
 * It shares no code with the product, so that a property that compares with it checks the answer and not only that one
 * layout gives what another gives.
 */
import type { Zyx } from '../../core/geometry.js';
import type { Voxels } from '../../core/volume.js';
import { blockAt } from './layouts.js';
import { asRead, type ImageName, type ImageSteps, type Images, imagesOf } from './naiveImages.js';
import { type Maxima, peaks } from './naiveMaxima.js';
import { type Component, connected, mergePlateaus, watershed } from './naiveShapes.js';
import { around, neighbours, position } from './places.js';
import { nearOf, ownOf, type UserMeasures } from './userMeasures.js';
import type { Drawn } from './volumes.js';

/** What is asked of the steps; null skips a step, or takes all for a threshold. */
export interface Chain extends ImageSteps, UserMeasures {
  readonly maxima: Maxima;
  /** Without shapes, spheres are measured. */
  readonly shape: { readonly threshold: number | null } | null;
  readonly method?: Method;
  /** Of spheres, in voxels; left out, the specification's default. */
  readonly radius?: number;
  /** Images of the chain, and co-registered channels by their names. */
  readonly measure: readonly string[];
}

export type { Component };

export interface Cell {
  readonly at: Zyx;
  readonly row: number[];
  /** An index into the components, or -1 where there are no shapes. */
  readonly component: number;
  /** The places of its voxels, or of those of its sphere, in order. */
  readonly voxels: readonly number[];
  /** What each measure is taken of: an image's values, in z, y, x order of the voxels. */
  readonly values: number[][];
}

export interface Truth {
  readonly names: string[];
  /** In z, y, x order of the centers. */
  readonly cells: Cell[];
  /** The places of all maxima that count, in z, y, x order, whether they are in the mask or not. */
  readonly maxima: number[];
  /** Components of the mask, in the order of their first voxels. */
  readonly components: Component[];
  /** Pairs of neighbours above the threshold of which one counts and the other does not: where components are cut. */
  readonly cuts: number;
  /** Maxima that do not stand out by more than hMax, and such that do though their region goes on beyond the reach. */
  readonly dropped: number;
  readonly cutByReach: number;
}

/** Of a cell's values, in z, y, x order; sums in float64, one after another. */
const methods = {
  max: (values: number[]) => values.reduce((a, b) => Math.max(a, b)),
  min: (values: number[]) => values.reduce((a, b) => Math.min(a, b)),
  sum: (values: number[]) => values.reduce((a, b) => a + b),
  mean: (values: number[]) => values.reduce((a, b) => a + b) / values.length,
} as const;

export type Method = keyof typeof methods;
export const METHODS = Object.keys(methods) as Method[];

/**
 * The cells of a volume; voxels where `kept` says no count as outside the mask, but windows still see them. Images that a run has made
 * stand for those of their steps.
 */
export function naive(
  drawn: Drawn,
  chain: Chain,
  kept: (at: Zyx) => boolean = () => true,
  made: Partial<Images> = {},
): Truth {
  const { size, also = {} } = drawn;
  const { images, searched } = imagesOf(drawn, chain, made);
  const { found, dropped, cutByReach } = peaks(searched, size, chain.maxima);
  const of = divided(searched, size, chain, kept, found);
  const image = (name: string) => (also[name] ? asRead(also[name]) : (images[name as ImageName] as Voxels));
  const measured = chain.measure.map(image);
  const { near, own } = chain;
  const measure = methods[chain.method ?? 'max'];
  const cells = of.seeds.map((seed, i) => {
    const at = position(seed, size);
    const voxels = of.voxels[i] as number[];
    const values = measured.map((image) => voxels.map((voxel) => image[voxel] as number));
    const counted = chain.shape === null ? [] : [voxels.length];
    const byUser = [
      ...(near ? [nearOf(image(near.of), size, at, near.window)] : []),
      ...(own ? [ownOf(image(own.of), size, at, voxels)] : []),
    ];
    const row = [at.x, at.y, at.z, ...counted, ...values.map(measure), ...byUser];
    return { at, row, component: of.componentOf[seed] ?? -1, voxels, values };
  });
  const byUser = [...(near ? ['near'] : []), ...(own ? ['own'] : [])];
  const names = ['x', 'y', 'z', ...(chain.shape === null ? [] : ['size']), ...chain.measure, ...byUser];
  const maxima = found.filter((voxel) => kept(position(voxel, size)));
  return { names, cells, maxima, components: of.components, cuts: of.cuts, dropped, cutByReach };
}

/** Which maxima are centers of cells, and the voxels of each cell in z, y, x order. */
interface Divided {
  readonly seeds: number[];
  readonly voxels: number[][];
  readonly components: Component[];
  readonly componentOf: ArrayLike<number>;
  readonly cuts: number;
}

function divided(
  image: Voxels,
  size: Zyx,
  { shape, maxima, radius = 3 }: Chain,
  kept: (at: Zyx) => boolean,
  found: readonly number[],
): Divided {
  if (shape === null) {
    const seeds = found.filter((at) => kept(position(at, size)));
    return { seeds, voxels: seeds.map((at) => sphere(at, size, radius)), components: [], componentOf: [], cuts: 0 };
  }
  const { threshold } = shape;
  const above = Array.from(image, (value) => threshold === null || value > threshold);
  const mask = above.map((is, at) => is && kept(position(at, size)));
  const inside = found.filter((at) => mask[at]);
  const seeds = maxima.plateaus === 'all' ? inside : mergePlateaus(image, size, mask, inside);
  const voxels = seeds.map((): number[] => []);
  watershed(image, size, mask, seeds).forEach((label, at) => {
    if (label > 0) voxels[label - 1]?.push(at);
  });
  const cuts = mask.reduce(
    (pairs, is, at) => pairs + (is ? neighbours(at, size).filter((near) => above[near] && !mask[near]).length : 0),
    0,
  );
  return { seeds, voxels, ...connected(size, mask), cuts };
}

/** The voxels within a radius of one, inside the volume. */
function sphere(center: number, size: Zyx, radius: number): number[] {
  const reach = Math.ceil(radius);
  const c = position(center, size);
  return around(center, size, { z: reach, y: reach, x: reach }).filter((at) => {
    const p = position(at, size);
    return (p.z - c.z) ** 2 + (p.y - c.y) ** 2 + (p.x - c.x) ** 2 <= radius ** 2;
  });
}

/**
 * Rows in the order in which a run over these cores promises them: by the last core of the component, or that of a center
 * without a shape, then z, y, x. The cores tile what is `size` large, the whole volume or a region of it from `start` on.
 */
export function rowsInLayout(truth: Truth, core: Zyx, size: Zyx, start?: Zyx): number[][] {
  const last = truth.components.map(({ voxels }) => Math.max(...cores(voxels, core, size, start)));
  return [...truth.cells]
    .map(({ row, at, component }, order) => ({ row, order, block: last[component] ?? blockAt(at, core, size, start) }))
    .sort((a, b) => a.block - b.block || a.order - b.order)
    .map(({ row }) => row);
}

/** How many components touch 2, 3, 4... cores. */
export function seamsInLayout(truth: Truth, core: Zyx, size: Zyx, start?: Zyx): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { voxels } of truth.components) {
    const touched = cores(voxels, core, size, start).size;
    if (touched > 1) counts[touched] = (counts[touched] ?? 0) + 1;
  }
  return counts;
}

/** The cores that a component has voxels in. */
export function cores(voxels: readonly Zyx[], core: Zyx, size: Zyx, start?: Zyx): Set<number> {
  return new Set(voxels.map((at) => blockAt(at, core, size, start)));
}
