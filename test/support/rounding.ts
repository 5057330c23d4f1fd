/** Rows of cells that are others because an image was rounded in another way, and whether that is why. */
import { type Zyx, zyx } from '../../core/geometry.js';
import type { Voxels } from '../../core/volume.js';
import type { Chain } from './naive.js';
import { around, neighbours, placeOf } from './places.js';
import { key } from './stream.js';
import type { Table } from './table.js';

/**
 * Centers that only one of two tables has, or of which the values differ; those in the column `dog` by more than a rounding of each
 * voxel gives.
 */
export function differingCenters(
  { names, rows: expected }: Table,
  found: readonly number[][],
  rounding: number,
): Zyx[] {
  const byCenter = (rows: readonly number[][]) => new Map(rows.map((row) => [key(row), row]));
  const [theirs, ours] = [byCenter(expected), byCenter(found)];
  const size = names.indexOf('size');
  const near = (a: readonly number[], b: readonly number[]) =>
    a.every((value, column) => {
      const off = names[column] === 'dog' ? (a[size] as number) * rounding + 1e-12 * Math.abs(value) : 0;
      return Math.abs(value - (b[column] as number)) <= off;
    });
  const centers = [...new Map([...theirs, ...ours]).entries()].filter(([at]) => {
    const [a, b] = [theirs.get(at), ours.get(at)];
    return a === undefined || b === undefined || !near(a, b);
  });
  return centers.map(([, [x = 0, y = 0, z = 0]]) => ({ z, y, x }));
}

/**
 * Whether a rounding of each voxel can make the row of a center another one: a value so near to a threshold, or two so near to each
 * other, at the center and in its window or anywhere in its component.
 */
export function explainedByRounding(
  image: Voxels,
  size: Zyx,
  { maxima, shape }: Chain,
  at: Zyx,
  rounding: number,
): boolean {
  const value = (voxel: number) => image[voxel] as number;
  const thresholds = [maxima.threshold, shape?.threshold ?? null].filter((one) => one !== null);
  const nearThreshold = (voxel: number) => thresholds.some((one) => Math.abs(value(voxel) - one) <= rounding);
  const equal = (a: number, b: number) => a !== b && Math.abs(value(a) - value(b)) <= 2 * rounding;

  const center = placeOf(at, size);
  const window = zyx((a) => maxima.size[a] - 1);
  if (nearThreshold(center) || around(center, size, window).some((near) => equal(near, center))) return true;

  const lowest = (shape?.threshold ?? Number.NEGATIVE_INFINITY) - rounding;
  const component = [center];
  const seen = new Set(component);
  for (let next = 0; next < component.length; next++)
    for (const near of neighbours(component[next] as number, size))
      if (value(near) > lowest && !seen.has(near)) {
        seen.add(near);
        component.push(near);
      }
  return component.some((voxel) => nearThreshold(voxel) || neighbours(voxel, size).some((near) => equal(near, voxel)));
}
