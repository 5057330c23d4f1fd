/**
 * The default chain for one volume as a whole, written for plainness and nothing else: what SPEC.md says, line by line.
 * It shares no code with the product, so that a property that compares with it checks the answer and not only that one
 * layout gives what another gives.
 */
import { FIXED_IMAGES, type FixedImage } from '../../core/block.js';
import { AXES, type Region, type Zyx } from '../../core/geometry.js';
import type { Voxels } from '../../core/volume.js';
import { blockAt } from './layouts.js';
import { asRead, type Background, background } from './naiveImages.js';
import type { Drawn } from './volumes.js';

/** What is asked of the steps; null skips a step, or takes all for a threshold. */
export interface Chain {
  readonly removeBackground: Background | null;
  readonly maxima: { readonly size: Zyx; readonly threshold: number | null; readonly plateaus?: 'first' | 'all' };
  readonly shape: { readonly threshold: number | null };
  readonly method?: Method;
  /** Images of the chain, and co-registered channels by their names. */
  readonly measure: readonly string[];
}

export interface Component {
  readonly box: Region;
  readonly voxels: Zyx[];
}

export interface Cell {
  readonly at: Zyx;
  readonly row: number[];
  /** An index into the components. */
  readonly component: number;
  /** What each measure is taken of: an image's values, in z, y, x order of the voxels. */
  readonly values: number[][];
}

export interface Truth {
  readonly names: string[];
  /** In z, y, x order of the centers. */
  readonly cells: Cell[];
  /** Components of the mask, in the order of their first voxels. */
  readonly components: Component[];
  /** Pairs of neighbours above the threshold of which one counts and the other does not: where components are cut. */
  readonly cuts: number;
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

/** The cells of a volume; voxels where `kept` says no count as outside the mask, but windows still see them. */
export function naive({ data, size, also = {} }: Drawn, chain: Chain, kept: (at: Zyx) => boolean = () => true): Truth {
  const source = asRead(data);
  const image = chain.removeBackground === null ? source : background(source, size, chain.removeBackground);
  const value = (at: number) => image[at] as number;
  const above = Array.from(image, (_, at) => chain.shape.threshold === null || value(at) > chain.shape.threshold);
  const mask = above.map((is, at) => is && kept(position(at, size)));
  const inside = peaks(image, size, chain.maxima).filter((at) => mask[at]);
  const seeds = chain.maxima.plateaus === 'all' ? inside : mergePlateaus(image, size, mask, inside);
  const labels = watershed(image, size, mask, seeds);
  const { components, componentOf } = connected(size, mask);

  const measured = chain.measure.map((name) => {
    const channel = also[name];
    if (channel) return asRead(channel);
    return FIXED_IMAGES.indexOf(name as FixedImage) < FIXED_IMAGES.indexOf('background') ? source : image;
  });
  const voxelsOf = seeds.map((): number[] => []);
  labels.forEach((label, at) => {
    if (label > 0) voxelsOf[label - 1]?.push(at);
  });
  const measure = methods[chain.method ?? 'max'];
  const cells = seeds.map((seed, i) => {
    const at = position(seed, size);
    const voxels = voxelsOf[i] as number[];
    const values = measured.map((of) => voxels.map((voxel) => of[voxel] as number));
    const row = [at.x, at.y, at.z, voxels.length, ...values.map(measure)];
    return { at, row, component: componentOf[seed] as number, values };
  });
  const cuts = mask.reduce(
    (pairs, is, at) => pairs + (is ? neighbours(at, size).filter((near) => above[near] && !mask[near]).length : 0),
    0,
  );
  return { names: ['x', 'y', 'z', 'size', ...chain.measure], cells, components, cuts };
}

/**
 * Rows in the order in which a run over these cores promises them: by the last core of the component, then z, y, x. The
 * cores tile what is `size` large, the whole volume or a region of it from `start` on.
 */
export function rowsInLayout(truth: Truth, core: Zyx, size: Zyx, start?: Zyx): number[][] {
  const last = truth.components.map(({ voxels }) => Math.max(...cores(voxels, core, size, start)));
  return [...truth.cells]
    .map((cell, order) => ({ row: cell.row, order, block: last[cell.component] as number }))
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

function position(at: number, size: Zyx): Zyx {
  const x = at % size.x;
  const y = Math.floor(at / size.x) % size.y;
  return { z: Math.floor(at / (size.x * size.y)), y, x };
}

/** Voxels that nothing in their window exceeds, above the threshold; of equal ones in a window all, or the first. */
function peaks(image: Voxels, size: Zyx, { size: extent, threshold, plateaus }: Chain['maxima']): number[] {
  const window = (at: number, visit: (near: number) => boolean): boolean => {
    const p = position(at, size);
    const from = (axis: 'z' | 'y' | 'x') => Math.max(0, p[axis] - Math.floor(extent[axis] / 2));
    const to = (axis: 'z' | 'y' | 'x') => Math.min(size[axis], p[axis] - Math.floor(extent[axis] / 2) + extent[axis]);
    for (let z = from('z'); z < to('z'); z++)
      for (let y = from('y'); y < to('y'); y++)
        for (let x = from('x'); x < to('x'); x++) if (!visit((z * size.y + y) * size.x + x)) return false;
    return true;
  };
  const highest = Array.from(image, (value, at) => window(at, (near) => (image[near] as number) <= value));
  const found: number[] = [];
  image.forEach((value, at) => {
    if (!highest[at] || (threshold !== null && value <= threshold)) return;
    if (plateaus === 'all' || window(at, (near) => near >= at || image[near] !== value || !highest[near]))
      found.push(at);
  });
  return found;
}

function neighbours(at: number, size: Zyx): number[] {
  const { z, y, x } = position(at, size);
  const near: number[] = [];
  if (z > 0) near.push(at - size.y * size.x);
  if (y > 0) near.push(at - size.x);
  if (x > 0) near.push(at - 1);
  if (x < size.x - 1) near.push(at + 1);
  if (y < size.y - 1) near.push(at + size.x);
  if (z < size.z - 1) near.push(at + size.y * size.x);
  return near;
}

/** Keeps, of seeds on one connected plateau of equal value inside the mask, the first. */
function mergePlateaus(image: Voxels, size: Zyx, mask: boolean[], seeds: number[]): number[] {
  const seen = new Set<number>();
  return seeds.filter((seed) => {
    if (seen.has(seed)) return false;
    const stack = [seed];
    seen.add(seed);
    for (let at = stack.pop(); at !== undefined; at = stack.pop())
      for (const near of neighbours(at, size))
        if (mask[near] && image[near] === image[seed] && !seen.has(near)) {
          seen.add(near);
          stack.push(near);
        }
    return true;
  });
}

/** Greatest value first, among equals in the order of queueing; labelled when first reached, and queued then. */
function watershed(image: Voxels, size: Zyx, mask: boolean[], seeds: number[]): Int32Array {
  const labels = new Int32Array(image.length);
  // One queue a value, the greatest value first: the next voxel is the oldest of the first queue that has one.
  const values = [...new Set(image)].sort((a, b) => b - a);
  const rank = new Map(values.map((value, i) => [value, i]));
  const queues = values.map(() => ({ voxels: [] as number[], next: 0 }));
  let first = 0;
  const push = (at: number, label: number) => {
    labels[at] = label;
    const place = rank.get(image[at] as number) as number;
    queues[place]?.voxels.push(at);
    first = Math.min(first, place);
  };
  const pop = (): number | undefined => {
    for (; first < queues.length; first++) {
      const queue = queues[first] as { voxels: number[]; next: number };
      if (queue.next < queue.voxels.length) return queue.voxels[queue.next++];
    }
    return undefined;
  };
  seeds.forEach((seed, i) => {
    push(seed, i + 1);
  });
  for (let at = pop(); at !== undefined; at = pop())
    for (const near of neighbours(at, size)) if (mask[near] && labels[near] === 0) push(near, labels[at] as number);
  return labels;
}

function connected(size: Zyx, mask: boolean[]): { components: Component[]; componentOf: Int32Array } {
  const componentOf = new Int32Array(mask.length).fill(-1);
  const components: Component[] = [];
  mask.forEach((is, first) => {
    if (!is || componentOf[first] !== -1) return;
    const found = [first];
    componentOf[first] = components.length;
    for (let next = 0; next < found.length; next++)
      for (const near of neighbours(found[next] as number, size))
        if (mask[near] && componentOf[near] === -1) {
          componentOf[near] = components.length;
          found.push(near);
        }
    const voxels = found.map((at) => position(at, size));
    components.push({ box: boxOf(voxels), voxels });
  });
  return { components, componentOf };
}

function boxOf(voxels: readonly Zyx[]): Region {
  const start = { z: Infinity, y: Infinity, x: Infinity };
  const stop = { z: 0, y: 0, x: 0 };
  for (const at of voxels)
    for (const axis of AXES) {
      start[axis] = Math.min(start[axis], at[axis]);
      stop[axis] = Math.max(stop[axis], at[axis] + 1);
    }
  return { start, stop };
}
