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

/** The index of the core that a voxel lies in: cores count in z, y, x order. */
export function blockAt({ z, y, x }: Zyx, core: Zyx, size: Zyx): number {
  const along = zyx((axis) => Math.ceil(size[axis] / core[axis]));
  return (Math.floor(z / core.z) * along.y + Math.floor(y / core.y)) * along.x + Math.floor(x / core.x);
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
