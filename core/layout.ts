import type { Layout } from './block.js';
import { OptionError } from './errors.js';
import { AXES, perAxis, type Region, type Zyx, zyx } from './geometry.js';
import type { Volume } from './volume.js';

/** Voxels of a core at most, when nothing is asked: some seconds of work, the grain of resuming. */
const MOST_CORE_VOXELS = 256 * 1024 * 1024;
/** Voxels of a core's plane at most: the rings of a chain hold some ten of them. */
const MOST_PLANE_VOXELS = 4 * 1024 * 1024;
/** Planes of a slab of a running acquisition, so that cells come soon. */
const LIVE_PLANES = 16;

/**
 * How cores tile a volume: in the extents asked for, clipped to the volume, or else slabs of whole planes, as deep as
 * some seconds of work, in multiples of the source's chunks; planes too large for the rings are cut into bands of rows first.
 */
export function layoutOf(volume: Volume, size?: number | Zyx): Layout {
  if (size !== undefined) checkSize(size);
  const coreSize = clip(size === undefined ? defaultCore(volume) : perAxis(size), volume);
  const count = (axis: 'y' | 'x') => Math.ceil(volume.size[axis] / coreSize[axis]);
  const { z } = volume.size;
  return {
    coreSize,
    counts: { z: z === null ? null : Math.ceil(z / coreSize.z), y: count('y'), x: count('x') },
  };
}

/** The core at a place in z, y, x order; `depth` clips it where the volume's end is known. */
export function coreAt(
  layout: Layout,
  index: number,
  size: { readonly z: number | null; y: number; x: number },
): Region {
  const at = placeOf(layout, index);
  const start = zyx((a) => at[a] * layout.coreSize[a]);
  return { start, stop: zyx((a) => Math.min(start[a] + layout.coreSize[a], size[a] ?? Number.POSITIVE_INFINITY)) };
}

/** Which core it is along each axis. */
export function placeOf(layout: Layout, index: number): Zyx {
  const { y, x } = layout.counts;
  return { z: Math.floor(index / (y * x)), y: Math.floor(index / x) % y, x: index % x };
}

/** The index of the core next to this one, before (-1) or behind (+1) it along an axis; null where the volume ends. */
export function neighbour(layout: Layout, index: number, axis: 'z' | 'y' | 'x', side: -1 | 1): number | null {
  const at = placeOf(layout, index)[axis] + side;
  const count = layout.counts[axis];
  if (at < 0 || (count !== null && at >= count)) return null;
  const { y, x } = layout.counts;
  return index + side * { z: y * x, y: x, x: 1 }[axis];
}

function checkSize(size: number | Zyx): void {
  const given = perAxis(size);
  for (const axis of AXES) {
    if (!Number.isInteger(given[axis]) || given[axis] < 1) {
      const option = typeof size === 'number' ? 'size' : `size.${axis}`;
      throw new OptionError('blocks', option, 'an integer of at least 1', given[axis]);
    }
  }
}

function clip(size: Zyx, volume: Volume): Zyx {
  return zyx((a) => Math.max(1, Math.min(size[a], volume.size[a] ?? Number.POSITIVE_INFINITY)));
}

function defaultCore(volume: Volume): Zyx {
  const chunk = volume.chunks ?? { z: 1, y: 1, x: 1 };
  const multiple = (axis: 'z' | 'y' | 'x', wanted: number) =>
    Math.max(1, Math.floor(wanted / chunk[axis])) * chunk[axis];
  const { y: height, x: width } = volume.size;
  // What a plane may have, less where chunks are so deep that whole ones of it would be too much.
  const plane = Math.min(MOST_PLANE_VOXELS, MOST_CORE_VOXELS / chunk.z);
  // Rows are contiguous in nearly every source, so whole rows are kept as long as a band has some hundred of them.
  const x = Math.min(width, multiple('x', Math.max(plane / 256, chunk.x)));
  const y = Math.min(height, multiple('y', plane / x));
  const deep = Math.max(1, Math.floor(MOST_CORE_VOXELS / (y * x)));
  const live = volume.keepsPlanes === undefined ? deep : Math.min(LIVE_PLANES, Math.ceil(volume.keepsPlanes / 2));
  return { z: multiple('z', Math.min(deep, live)), y, x };
}
