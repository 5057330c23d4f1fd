/** The shapes of cells and their components, voxel by voxel as SPEC.md says: for `naive`, and as plain. */
import { AXES, type Region, type Zyx } from '../../core/geometry.js';
import type { Voxels } from '../../core/volume.js';
import { neighbours, position } from './places.js';

export interface Component {
  readonly box: Region;
  readonly voxels: Zyx[];
}

/** Keeps, of seeds on one connected plateau of equal value inside the mask, the first. */
export function mergePlateaus(image: Voxels, size: Zyx, mask: boolean[], seeds: number[]): number[] {
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
export function watershed(image: Voxels, size: Zyx, mask: boolean[], seeds: number[]): Int32Array {
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

/** The 6-connected components of a mask, in the order of their first voxels; of each voxel its component, or -1. */
export function connected(size: Zyx, mask: boolean[]): { components: Component[]; componentOf: Int32Array } {
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
