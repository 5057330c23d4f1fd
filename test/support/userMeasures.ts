/** What users measure of cells: the functions, and what they have to give of a whole volume, cell by cell. */

import type { Zyx } from '../../core/geometry.js';
import { type CellVoxels, type CellWindows, type ImageResult, measure, type Step, type Voxels } from '../../index.js';
import { position } from './places.js';

export interface UserMeasures {
  /** Over a window of this extent around each center. */
  readonly near?: { readonly of: string; readonly window: Zyx } | null;
  /** Over the voxels of each cell. */
  readonly own?: { readonly of: string } | null;
}

/** The steps, of which each adds a column of its name. */
export function measureStepsOf({ near, own }: UserMeasures): Step<never, never>[] {
  const steps = [
    ...(near ? [measure('near', { of: near.of as ImageResult, window: near.window }, windowSums)] : []),
    ...(own ? [measure('own', { of: own.of as ImageResult }, voxelSums)] : []),
  ];
  return steps as unknown as Step<never, never>[];
}

/** Every place in a window has a weight of its own. Sums of floats that differ much in size depend on the order of all. */
async function windowSums({ voxels, size, centers }: CellWindows, count: number): Promise<Float64Array> {
  const length = size.z * size.y * size.x;
  return Float64Array.from({ length: count }, (_, cell) => {
    const [z, y, x] = centers.subarray(3 * cell, 3 * cell + 3) as unknown as [number, number, number];
    let sum = z + 7 * y + 31 * x;
    for (let at = 0; at < length; at++) sum += (voxels[cell * length + at] as number) * (1 + at);
    return sum;
  });
}

function voxelSums({ voxels, offsets, positions, centers }: CellVoxels, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, cell) => {
    let sum = centers[3 * cell] as number;
    for (let at = offsets[cell] as number; at < (offsets[cell + 1] as number); at++) {
      const place = at - (offsets[cell] as number);
      const [z, y, x] = positions.subarray(3 * at, 3 * at + 3) as unknown as [number, number, number];
      sum += (voxels[at] as number) * (1 + (place % 7)) + z + 3 * y + 17 * x;
    }
    return sum;
  });
}

/** What `near` has to be of the cell around a center. */
export function nearOf(image: Voxels, size: Zyx, c: Zyx, window: Zyx): number {
  let sum = c.z + 7 * c.y + 31 * c.x;
  let at = 0;
  for (let dz = 0; dz < window.z; dz++)
    for (let dy = 0; dy < window.y; dy++)
      for (let dx = 0; dx < window.x; dx++) {
        const z = c.z + dz - Math.floor(window.z / 2);
        const y = c.y + dy - Math.floor(window.y / 2);
        const x = c.x + dx - Math.floor(window.x / 2);
        const inside = z >= 0 && y >= 0 && x >= 0 && z < size.z && y < size.y && x < size.x;
        at += 1;
        if (inside) sum += (image[(z * size.y + y) * size.x + x] as number) * at;
      }
  return sum;
}

/** What `own` has to be of a cell of these voxels, in z, y, x order. */
export function ownOf(image: Voxels, size: Zyx, center: Zyx, voxels: readonly number[]): number {
  let sum = center.z;
  voxels.forEach((voxel, place) => {
    const { z, y, x } = position(voxel, size);
    sum += (image[voxel] as number) * (1 + (place % 7)) + z + 3 * y + 17 * x;
  });
  return sum;
}
