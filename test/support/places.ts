/** Voxels by their place in memory: z, y, x order, x fastest. */
import type { Zyx } from '../../core/geometry.js';

export function position(at: number, size: Zyx): Zyx {
  const x = at % size.x;
  const y = Math.floor(at / size.x) % size.y;
  return { z: Math.floor(at / (size.x * size.y)), y, x };
}

export function placeOf({ z, y, x }: Zyx, size: Zyx): number {
  return (z * size.y + y) * size.x + x;
}

/** The voxels that share a face with one, in the order z-1, y-1, x-1, x+1, y+1, z+1. */
export function neighbours(at: number, size: Zyx): number[] {
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

/** The voxels of a box around one, from `low` before it to `high` behind it along each axis, inside the volume. */
export function around(at: number, size: Zyx, low: Zyx, high: Zyx = low): number[] {
  const p = position(at, size);
  const near: number[] = [];
  for (let z = Math.max(0, p.z - low.z); z <= Math.min(size.z - 1, p.z + high.z); z++)
    for (let y = Math.max(0, p.y - low.y); y <= Math.min(size.y - 1, p.y + high.y); y++)
      for (let x = Math.max(0, p.x - low.x); x <= Math.min(size.x - 1, p.x + high.x); x++)
        near.push(placeOf({ z, y, x }, size));
  return near;
}
