/** The function of examples/median.ts, which worker threads load from here. */
import type { PlaneWindow, Voxels } from 'somaflow';

/** The median of each voxel and its neighbours in its plane, 3 x 3; at the volume's edge the outermost voxels count again. */
export default function median({ planes, center, size }: PlaneWindow): Voxels {
  const plane = planes[center] as Voxels;
  const out = plane.slice();
  // The least, middle and greatest of each column of three: every column serves three voxels.
  const low = plane.slice(0, size.x);
  const mid = plane.slice(0, size.x);
  const high = plane.slice(0, size.x);
  for (let y = 0; y < size.y; y++) {
    const own = y * size.x;
    const above = Math.max(y - 1, 0) * size.x;
    const below = Math.min(y + 1, size.y - 1) * size.x;
    for (let x = 0; x < size.x; x++) {
      const a = plane[above + x] as number;
      const b = plane[own + x] as number;
      const c = plane[below + x] as number;
      low[x] = least(a, b, c);
      mid[x] = middle(a, b, c);
      high[x] = greatest(a, b, c);
    }
    for (let x = 0; x < size.x; x++) {
      const l = Math.max(x - 1, 0);
      const r = Math.min(x + 1, size.x - 1);
      out[own + x] = middle(
        greatest(low[l] as number, low[x] as number, low[r] as number),
        middle(mid[l] as number, mid[x] as number, mid[r] as number),
        least(high[l] as number, high[x] as number, high[r] as number),
      );
    }
  }
  return out;
}

const least = (a: number, b: number, c: number) => Math.min(a, Math.min(b, c));
const greatest = (a: number, b: number, c: number) => Math.max(a, Math.max(b, c));
const middle = (a: number, b: number, c: number) => Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
