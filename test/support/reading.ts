import fc from 'fast-check';
import { type Region, voxelCount, type Zyx, zyx } from '../../core/geometry.js';
import { bytesPerVoxel, type Volume, type Voxels } from '../../core/volume.js';

/** Values that differ from their neighbours and from themselves with bytes swapped. */
export function someVoxels(count: number): Uint16Array {
  return Uint16Array.from({ length: count }, (_, i) => (i * 2654435761) >>> 11);
}

/** A drawn region inside the size, not empty. */
export function regionsWithin(size: Zyx): fc.Arbitrary<Region> {
  const axis = (length: number) =>
    fc.tuple(fc.nat(length - 1), fc.nat(length - 1)).map(([a, b]) => [Math.min(a, b), Math.max(a, b) + 1] as const);
  return fc
    .record({ z: axis(size.z), y: axis(size.y), x: axis(size.x) })
    .map((drawn) => ({ start: zyx((a) => drawn[a][0]), stop: zyx((a) => drawn[a][1]) }));
}

export function whole(size: Zyx): Region {
  return { start: { z: 0, y: 0, x: 0 }, stop: size };
}

/** Reads into shared memory that holds something else before, as the chain's slabs do. */
export async function readRegion(volume: Volume, region: Region, signal?: AbortSignal): Promise<Voxels> {
  const memory = new SharedArrayBuffer(bytesPerVoxel[volume.dtype] * voxelCount(region));
  const into = over(memory, volume).fill(0xdead);
  await volume.read(region, into, signal ?? new AbortController().signal);
  return into;
}

function over(memory: SharedArrayBuffer, { dtype }: Volume): Voxels {
  if (dtype === 'uint8') return new Uint8Array(memory);
  return dtype === 'uint16' ? new Uint16Array(memory) : new Float32Array(memory);
}

/** What the region holds, voxel by voxel. */
export function cut<V extends Voxels>(data: V, size: Zyx, { start, stop }: Region): V {
  const values: number[] = [];
  for (let z = start.z; z < stop.z; z++)
    for (let y = start.y; y < stop.y; y++)
      for (let x = start.x; x < stop.x; x++) values.push(data[(z * size.y + y) * size.x + x] as number);
  const held = data.slice(0, values.length) as V;
  held.set(values);
  return held;
}

/** Whether two arrays are of one type and equal; `t.deepEqual` on typed arrays is slow and prints too much. */
export function same(a: Voxels, b: Voxels): boolean {
  return a.constructor === b.constructor && a.length === b.length && a.every((value, i) => value === b[i]);
}
