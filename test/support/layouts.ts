/** How volumes are cut in the tests, and an own, plain account of the cutting to compare with. */
import fc from 'fast-check';
import { AXES, type Region, type Zyx, zyx } from '../../core/geometry.js';

/** Core sizes, mostly small. */
export function coreSizes(most = 12): fc.Arbitrary<Zyx> {
  const along = fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 1, max: 5 }) }, fc.integer({ min: 1, max: most }));
  return fc.record({ z: along, y: along, x: along });
}

/** Grows a core until it cuts the volume into at most so many, so that a case takes milliseconds. */
export function coreFor(core: Zyx, size: Zyx, mostBlocks = 150): Zyx {
  const grown = { ...core };
  while (blockCount(grown, size) > mostBlocks) {
    const axis = AXES.reduce((a, b) => (size[b] / grown[b] > size[a] / grown[a] ? b : a));
    grown[axis] += 1;
  }
  return grown;
}

export function blockCount(core: Zyx, size: Zyx): number {
  return AXES.reduce((product, axis) => product * Math.ceil(size[axis] / core[axis]), 1);
}

/** The index of the core that a voxel lies in: cores count in z, y, x order, and tile what is `size` large from `start` on. */
export function blockAt(at: Zyx, core: Zyx, size: Zyx, start: Zyx = { z: 0, y: 0, x: 0 }): number {
  const along = zyx((axis) => Math.ceil(size[axis] / core[axis]));
  const { z, y, x } = zyx((axis) => Math.floor((at[axis] - start[axis]) / core[axis]));
  return (z * along.y + y) * along.x + x;
}

/** The cores with a voxel that counts. */
export function coresWith(
  kept: (at: Zyx) => boolean,
  core: Zyx,
  size: Zyx,
  start: Zyx = { z: 0, y: 0, x: 0 },
): Set<number> {
  const found = new Set<number>();
  for (let z = start.z; z < start.z + size.z; z++)
    for (let y = start.y; y < start.y + size.y; y++)
      for (let x = start.x; x < start.x + size.x; x++)
        if (kept({ z, y, x })) found.add(blockAt({ z, y, x }, core, size, start));
  return found;
}

/** The region of a core from its index. */
export function coreAt(index: number, core: Zyx, size: Zyx): Region {
  const along = zyx((axis) => Math.ceil(size[axis] / core[axis]));
  const place = {
    z: Math.floor(index / (along.y * along.x)),
    y: Math.floor(index / along.x) % along.y,
    x: index % along.x,
  };
  return {
    start: zyx((axis) => place[axis] * core[axis]),
    stop: zyx((axis) => Math.min(size[axis], (place[axis] + 1) * core[axis])),
  };
}

export function contains(outer: Region, inner: Region): boolean {
  return AXES.every((axis) => outer.start[axis] <= inner.start[axis] && inner.stop[axis] <= outer.stop[axis]);
}
