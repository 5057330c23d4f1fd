/**
 * The default chain for one volume as a whole, written for plainness and nothing else: what SPEC.md says, line by line.
 * It shares no code with the product, so that a property that compares with it checks the answer and not only that one
 * layout gives what another gives.
 */
import { FIXED_IMAGES, type FixedImage } from '../../core/block.js';
import { AXES, type Region, type Zyx } from '../../core/geometry.js';
import { blockAt } from './layouts.js';
import type { Drawn } from './volumes.js';

/** What is asked of the steps; null skips a step, or takes all for a threshold. */
export interface Chain {
  readonly removeBackground: { readonly y: number; readonly x: number } | null;
  readonly maxima: { readonly size: Zyx; readonly threshold: number | null };
  readonly shape: { readonly threshold: number | null };
  readonly measure: readonly FixedImage[];
}

export interface Component {
  readonly box: Region;
  readonly voxels: Zyx[];
}

export interface Truth {
  readonly names: string[];
  /** In z, y, x order of the centers; `component` is an index into `components`. */
  readonly cells: { readonly at: Zyx; readonly row: number[]; readonly component: number }[];
  /** Components of the mask, in the order of their first voxels. */
  readonly components: Component[];
}

/** The cells of a volume; voxels where `kept` says no count as outside the mask, but windows still see them. */
export function naive({ data, size }: Drawn, chain: Chain, kept: (at: Zyx) => boolean = () => true): Truth {
  const image = chain.removeBackground === null ? data : background(data, size, chain.removeBackground);
  const value = (at: number) => image[at] as number;
  const aboveMask = (at: number) => chain.shape.threshold === null || value(at) > chain.shape.threshold;
  const mask = Array.from(image, (_, at) => aboveMask(at) && kept(position(at, size)));
  const inside = peaks(image, size, chain.maxima).filter((at) => mask[at]);
  const seeds = mergePlateaus(image, size, mask, inside);
  const labels = watershed(image, size, mask, seeds);
  const { components, componentOf } = connected(size, mask);

  const measured = chain.measure.map((name) =>
    FIXED_IMAGES.indexOf(name) < FIXED_IMAGES.indexOf('background') ? data : image,
  );
  const sizes = seeds.map(() => 0);
  const greatest = seeds.map(() => measured.map(() => 0));
  labels.forEach((label, at) => {
    if (label === 0) return;
    sizes[label - 1] = (sizes[label - 1] as number) + 1;
    const row = greatest[label - 1] as number[];
    measured.forEach((of, i) => {
      row[i] = Math.max(row[i] as number, of[at] as number);
    });
  });
  const cells = seeds.map((seed, i) => {
    const at = position(seed, size);
    const row = [at.x, at.y, at.z, sizes[i] as number, ...(greatest[i] as number[])];
    return { at, row, component: componentOf[seed] as number };
  });
  return { names: ['x', 'y', 'z', 'size', ...chain.measure], cells, components };
}

/** Rows in the order in which a run over these cores promises them: by the last core of the component, then z, y, x. */
export function rowsInLayout(truth: Truth, core: Zyx, size: Zyx): number[][] {
  const last = truth.components.map(({ voxels }) => Math.max(...cores(voxels, core, size)));
  return [...truth.cells]
    .map((cell, order) => ({ row: cell.row, order, block: last[cell.component] as number }))
    .sort((a, b) => a.block - b.block || a.order - b.order)
    .map(({ row }) => row);
}

/** How many components touch 2, 3, 4... cores. */
export function seamsInLayout(truth: Truth, core: Zyx, size: Zyx): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { voxels } of truth.components) {
    const touched = cores(voxels, core, size).size;
    if (touched > 1) counts[touched] = (counts[touched] ?? 0) + 1;
  }
  return counts;
}

/** The cores that a component has voxels in. */
export function cores(voxels: readonly Zyx[], core: Zyx, size: Zyx): Set<number> {
  return new Set(voxels.map((at) => blockAt(at, core, size)));
}

function position(at: number, size: Zyx): Zyx {
  const x = at % size.x;
  const y = Math.floor(at / size.x) % size.y;
  return { z: Math.floor(at / (size.x * size.y)), y, x };
}

/** I - min(I, open(I)) per plane: erosion by the disk, then dilation by its reflection, inside the plane. */
export function background(data: Uint16Array, size: Zyx, element: { y: number; x: number }): Uint16Array {
  const offsets = disk(element);
  const out = new Uint16Array(data.length);
  const pixels = size.y * size.x;
  const inside = (y: number, x: number) => y >= 0 && x >= 0 && y < size.y && x < size.x;
  for (let first = 0; first < data.length; first += pixels) {
    const eroded = new Uint16Array(pixels);
    for (let y = 0; y < size.y; y++)
      for (let x = 0; x < size.x; x++) {
        let least = 65535;
        for (const { dy, dx } of offsets)
          if (inside(y + dy, x + dx)) least = Math.min(least, data[first + (y + dy) * size.x + x + dx] as number);
        eroded[y * size.x + x] = least;
      }
    for (let y = 0; y < size.y; y++)
      for (let x = 0; x < size.x; x++) {
        let opened = 0;
        for (const { dy, dx } of offsets)
          if (inside(y - dy, x - dx)) opened = Math.max(opened, eroded[(y - dy) * size.x + x - dx] as number);
        const source = data[first + y * size.x + x] as number;
        out[first + y * size.x + x] = source - Math.min(source, opened);
      }
  }
  return out;
}

function disk(element: { y: number; x: number }): { dy: number; dx: number }[] {
  const along = (extent: number) =>
    Array.from({ length: extent }, (_, i) => {
      const offset = i - Math.floor(extent / 2);
      return { offset, reach: (offset + (extent % 2 === 0 ? 0.5 : 0)) / (extent - Math.floor(extent / 2)) };
    });
  return along(element.y).flatMap((y) =>
    along(element.x)
      .filter((x) => y.reach * y.reach + x.reach * x.reach < 1)
      .map((x) => ({ dy: y.offset, dx: x.offset })),
  );
}

/** Voxels that nothing in their window exceeds, above the threshold, the first of equal ones in a window. */
function peaks(image: Uint16Array, size: Zyx, { size: extent, threshold }: Chain['maxima']): number[] {
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
    if (window(at, (near) => near >= at || image[near] !== value || !highest[near])) found.push(at);
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
function mergePlateaus(image: Uint16Array, size: Zyx, mask: boolean[], seeds: number[]): number[] {
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
function watershed(image: Uint16Array, size: Zyx, mask: boolean[], seeds: number[]): Int32Array {
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
