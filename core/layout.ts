import type { Layout } from './block.js';
import { OptionError } from './errors.js';
import { AXES, describeRegion, perAxis, type Region, type Zyx, zyx } from './geometry.js';
import { checkKeys } from './options.js';
import type { Volume, VolumeSize } from './volume.js';

/** Voxels of a core at most, when nothing is asked: some seconds of work, the grain of resuming. */
const MOST_CORE_VOXELS = 256 * 1024 * 1024;
/** Voxels of a core's plane that are wanted: the rings of a chain hold some ten of them, which should lie in a cache. */
const PLANE_VOXELS = 1024 * 1024;
/** Rows of a core at the least, where there are as many: what it reads around them should stay small beside them. */
const LEAST_ROWS = 256;
/** Voxels of a core's plane at most. */
const MOST_PLANE_VOXELS = 4 * 1024 * 1024;
/** Planes of a slab of a running acquisition, so that cells come soon. */
const LIVE_PLANES = 16;

export interface LayoutOptions {
  /** Extent of the cores in voxels, along all axes or each. Default: multiples of the source's chunks, some seconds of work. */
  readonly size?: number | Zyx;
  /** Axes along which the volume is cut; along the others a core is as long as what is tiled. Default all. */
  readonly axes?: readonly ('z' | 'y' | 'x')[];
  /** The greatest extent of the cores in voxels, where `size` does not say it. */
  readonly sizeMax?: number | Zyx;
  /** The least, where the volume is that large. */
  readonly sizeMin?: number | Zyx;
  /** Voxels that neighbouring blocks read in common at the least. It only makes reads larger, never changes cells. Default 0. */
  readonly overlap?: number | Zyx;
  /** What the cores tile; voxels outside count as outside the mask, but windows see them. Default: the whole volume. */
  readonly region?: Region;
}

/**
 * How cores tile a volume: in the extents asked for, clipped to the volume, or else slabs of whole planes, as deep as
 * some seconds of work, in multiples of the source's chunks; large planes are cut into bands of rows first.
 */
export function layoutOf(volume: Volume, options: LayoutOptions = {}): Layout {
  const { size, axes = AXES, sizeMax, sizeMin, overlap = 0, region } = options;
  checkLayout(options);
  if (region) checkRegion(region, volume);
  const start = region?.start ?? { z: 0, y: 0, x: 0 };
  const stop: VolumeSize = region?.stop ?? volume.size;
  const [most, least] = [perAxis(sizeMax ?? Number.POSITIVE_INFINITY), perAxis(sizeMin ?? 1)];
  const cut = (a: 'z' | 'y' | 'x') => axes.includes(a);
  const chunk = size === undefined ? (volume.chunks ?? perAxis(1)) : perAxis(1);
  const aligned = zyx((a) => (cut(a) ? Math.floor(start[a] / chunk[a]) * chunk[a] : start[a]));
  const whole = zyx((a) => (stop[a] ?? Number.POSITIVE_INFINITY) - aligned[a]);
  const wanted = size === undefined ? defaultCore(volume, whole, cut) : perAxis(size);
  const bounded = zyx((a) => (size === undefined ? Math.min(most[a], Math.max(least[a], wanted[a])) : wanted[a]));
  // Of a depth that is not known, "uncut" cannot be said in voxels: such a core is as deep as the default makes it.
  const core = zyx((a) => (cut(a) || whole[a] === Number.POSITIVE_INFINITY ? bounded[a] : whole[a]));
  // Bounds may make cores smaller than a chunk; those that end before the first voxel are none.
  const first = zyx((a) => aligned[a] + Math.floor((start[a] - aligned[a]) / core[a]) * core[a]);
  const alone = zyx((a) => (first[a] + core[a] >= (stop[a] ?? Number.POSITIVE_INFINITY) ? 1 : 0));
  const origin = zyx((a) => (alone[a] ? start[a] : first[a]));
  const coreSize = zyx((a) => (alone[a] ? (stop[a] as number) - start[a] : core[a]));
  const count = (a: 'z' | 'y' | 'x') => Math.ceil(((stop[a] ?? 0) - origin[a]) / coreSize[a]);
  const counts = { z: stop.z === null ? null : count('z'), y: count('y'), x: count('x') };
  return { start, stop: { z: stop.z, y: stop.y, x: stop.x }, origin, coreSize, counts, overlap: perAxis(overlap) };
}

/**
 * What can be checked of these options before the volume is known.
 *
 * @throws {OptionError} if a size is not a positive integer, an overlap not one or 0, an axis none, or sizeMin above sizeMax
 */
export function checkLayout({ size, axes = AXES, sizeMax, sizeMin, overlap }: LayoutOptions): void {
  for (const [option, given] of Object.entries({ size, sizeMax, sizeMin })) checkExtent(option, given, 1);
  checkExtent('overlap', overlap, 0);
  for (const axis of axes)
    if (!AXES.includes(axis)) throw new OptionError('blocks', 'axes', "some of 'z', 'y', 'x'", axis);
  const [most, least] = [perAxis(sizeMax ?? Number.POSITIVE_INFINITY), perAxis(sizeMin ?? 1)];
  for (const a of AXES) {
    if (least[a] > most[a]) throw new OptionError('blocks', `sizeMin.${a}`, `at most sizeMax, ${most[a]}`, least[a]);
  }
}

/** The core at a place in z, y, x order; `depth` is that of the volume, where its end is known by now. */
export function coreAt(layout: Layout, index: number, depth: number | null = null): Region {
  const at = placeOf(layout, index);
  const { origin, coreSize } = layout;
  const end = (a: 'z' | 'y' | 'x') => Math.min(layout.stop[a] ?? Infinity, (a === 'z' ? depth : null) ?? Infinity);
  return {
    start: zyx((a) => Math.max(layout.start[a], origin[a] + at[a] * coreSize[a])),
    stop: zyx((a) => Math.min(origin[a] + (at[a] + 1) * coreSize[a], end(a))),
  };
}

/** Which core it is along each axis. */
export function placeOf(layout: Layout, index: number): Zyx {
  const { y, x } = layout.counts;
  return { z: Math.floor(index / (y * x)), y: Math.floor(index / x) % y, x: index % x };
}

/** The index of the core next to this one, before (-1) or behind (+1) it along an axis; null where the tiling ends. */
export function neighbour(layout: Layout, index: number, axis: 'z' | 'y' | 'x', side: -1 | 1): number | null {
  const at = placeOf(layout, index)[axis] + side;
  const count = layout.counts[axis];
  if (at < 0 || (count !== null && at >= count)) return null;
  const { y, x } = layout.counts;
  return index + side * { z: y * x, y: x, x: 1 }[axis];
}

function checkExtent(option: string, size: number | Zyx | undefined, least: number): void {
  if (size === undefined) return;
  const alike = typeof size !== 'object' || size === null;
  if (!alike) checkKeys('blocks', size, AXES, option);
  for (const axis of AXES) {
    const given = alike ? size : size[axis];
    if (!Number.isInteger(given) || given < least) {
      const name = alike ? option : `${option}.${axis}`;
      throw new OptionError('blocks', name, `an integer of at least ${least}`, given);
    }
  }
}

function checkRegion(region: Region, { id, size }: Volume): void {
  const { start, stop } = region;
  const fits = (a: 'z' | 'y' | 'x') => start[a] >= 0 && start[a] < stop[a] && stop[a] <= (size[a] ?? Infinity);
  if (AXES.every((a) => Number.isInteger(start[a]) && Number.isInteger(stop[a]) && fits(a))) return;
  const whole = `[0:${size.z ?? ''}, 0:${size.y}, 0:${size.x}]`;
  throw new OptionError('blocks', 'region', `within ${whole} of ${id} and not empty`, describeRegion(region));
}

function defaultCore(volume: Volume, whole: Zyx, cut: (axis: 'z' | 'y' | 'x') => boolean): Zyx {
  const chunk = volume.chunks ?? { z: 1, y: 1, x: 1 };
  const multiple = (axis: 'z' | 'y' | 'x', wanted: number) =>
    Math.max(1, Math.floor(wanted / chunk[axis])) * chunk[axis];
  // What a plane may have, less where chunks are so deep that whole ones of it would be too much.
  const plane = Math.min(MOST_PLANE_VOXELS, MOST_CORE_VOXELS / chunk.z);
  // Rows are contiguous in nearly every source, so whole rows are kept as long as a band has some hundred of them.
  const x = cut('x') ? Math.min(whole.x, multiple('x', Math.max(plane / LEAST_ROWS, chunk.x))) : whole.x;
  const rows = Math.min(plane / x, Math.max(PLANE_VOXELS / x, LEAST_ROWS));
  const y = cut('y') ? Math.min(whole.y, multiple('y', rows)) : whole.y;
  const deep = Math.max(1, Math.floor(MOST_CORE_VOXELS / (y * x)));
  const live = volume.keepsPlanes === undefined ? deep : Math.min(LIVE_PLANES, Math.ceil(volume.keepsPlanes / 2));
  return { z: multiple('z', Math.min(deep, live)), y, x };
}
