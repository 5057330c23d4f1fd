/** A position, extent or reach in voxels, axis by axis; z is the slowest axis in memory. */
export interface Zyx {
  readonly z: number;
  readonly y: number;
  readonly x: number;
}

/** A half-open box of voxels: `start` is inside, `stop` is not. */
export interface Region {
  readonly start: Zyx;
  readonly stop: Zyx;
}

/** The planes, rows and columns that a step reads before and after each voxel that it answers for. */
export interface Halo {
  readonly before: Zyx;
  readonly after: Zyx;
}

export const AXES = ['z', 'y', 'x'] as const;

export const noHalo: Halo = { before: { z: 0, y: 0, x: 0 }, after: { z: 0, y: 0, x: 0 } };

/** Builds a position axis by axis. */
export function zyx(of: (axis: 'z' | 'y' | 'x') => number): Zyx {
  return { z: of('z'), y: of('y'), x: of('x') };
}

/** One number for all axes, or each its own. */
export function perAxis(size: number | Zyx): Zyx {
  return typeof size === 'number' ? { z: size, y: size, x: size } : { z: size.z, y: size.y, x: size.x };
}

export function extent(region: Region): Zyx {
  return zyx((a) => region.stop[a] - region.start[a]);
}

export function voxelCount(region: Region): number {
  const { z, y, x } = extent(region);
  return z * y * x;
}

export function addHalos(a: Halo, b: Halo): Halo {
  return { before: zyx((k) => a.before[k] + b.before[k]), after: zyx((k) => a.after[k] + b.after[k]) };
}

/** What both halos read, side by side and axis by axis. */
export function greaterHalo(a: Halo, b: Halo): Halo {
  return {
    before: zyx((k) => Math.max(a.before[k], b.before[k])),
    after: zyx((k) => Math.max(a.after[k], b.after[k])),
  };
}

/** The region grown by the halo and clipped to a volume of this size. */
export function grow(region: Region, halo: Halo, size: Zyx): Region {
  return {
    start: zyx((a) => Math.max(0, region.start[a] - halo.before[a])),
    stop: zyx((a) => Math.min(size[a], region.stop[a] + halo.after[a])),
  };
}

/** Writes a region as errors and the command line do: `[0:16, 0:2048, 0:2048]`, axes z, y, x. */
export function describeRegion({ start, stop }: Region): string {
  return `[${AXES.map((a) => `${start[a]}:${stop[a]}`).join(', ')}]`;
}
