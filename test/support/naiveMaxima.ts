/** Maxima, voxel by voxel as SPEC.md says: for `naive`, and as plain. */
import { AXES, type Zyx } from '../../core/geometry.js';
import type { Voxels } from '../../core/volume.js';
import { around, position } from './places.js';

export interface Maxima {
  readonly size: Zyx;
  readonly threshold: number | null;
  readonly plateaus?: 'first' | 'all';
  /** Left out, maxima need not stand out. */
  readonly hMax?: number | null;
  /** Left out, the specification's default. */
  readonly reach?: Zyx;
}

export interface Peaks {
  /** In z, y, x order. */
  readonly found: number[];
  /** How many do not stand out by more than hMax. */
  readonly dropped: number;
  /** How many that stay have a region that goes on beyond the reach. */
  readonly cutByReach: number;
}

/**
 * Voxels that nothing in their window exceeds, above the threshold; of equal ones in a window all, or the first; and of these the
 * ones that stand out.
 */
export function peaks(
  image: Voxels,
  size: Zyx,
  { size: extent, threshold, plateaus, hMax = null, reach }: Maxima,
): Peaks {
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
  const plain: number[] = [];
  image.forEach((value, at) => {
    if (!highest[at] || (threshold !== null && value <= threshold)) return;
    if (plateaus === 'all' || window(at, (near) => near >= at || image[near] !== value || !highest[near]))
      plain.push(at);
  });
  if (hMax === null) return { found: plain, dropped: 0, cutByReach: 0 };
  const how = plain.map((at) => standing(image, size, at, hMax, reach ?? { z: 16, y: 16, x: 16 }));
  const found = plain.filter((_, at) => how[at] !== 'beaten');
  const cutByReach = how.filter((one) => one === 'cut').length;
  return { found, dropped: plain.length - found.length, cutByReach };
}

const one: Zyx = { z: 1, y: 1, x: 1 };

/**
 * Walks the 26-connected region of voxels of at least the maximum's value less the height, within reach: whether it holds a greater
 * voxel or an equal one before, and if not, whether it would go on beyond the reach.
 */
function standing(image: Voxels, size: Zyx, at: number, height: number, reach: Zyx): 'beaten' | 'cut' | 'whole' {
  const value = image[at] as number;
  const center = position(at, size);
  const within = (near: number) => {
    const p = position(near, size);
    return AXES.every((axis) => Math.abs(p[axis] - center[axis]) <= reach[axis]);
  };
  const seen = new Set([at]);
  const stack = [at];
  let cut = false;
  for (let from = stack.pop(); from !== undefined; from = stack.pop())
    for (const near of around(from, size, one)) {
      const other = image[near] as number;
      if (other < value - height || seen.has(near)) continue;
      if (!within(near)) {
        cut = true;
        continue;
      }
      if (other > value || (other === value && near < at)) return 'beaten';
      seen.add(near);
      stack.push(near);
    }
  return cut ? 'cut' : 'whole';
}
