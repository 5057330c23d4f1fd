/** What a run is limited to: tissue masks, as large as the volume or coarser, and regions that cores tile. */
import fc from 'fast-check';
import { AXES, type Region, type Zyx, zyx } from '../../core/geometry.js';
import { random } from './random.js';
import type { Drawn } from './volumes.js';

const maskKinds = ['boxes', 'balls', 'noise', 'empty', 'full'] as const;

export interface MaskRecipe {
  readonly kind: (typeof maskKinds)[number];
  /** Its extent, in eighths of the volume's along each axis. */
  readonly eighths: Zyx;
  readonly dtype: keyof typeof inside;
  readonly seed: number;
}

/** Values that are inside though a part of their bits, or their integer part, is 0; outside is 0, and -0 of floats. */
const inside = { uint8: [1, 255], uint16: [256, 65535], float32: [0.25, -3] } as const;

export function maskRecipes(): fc.Arbitrary<MaskRecipe> {
  const along = fc.integer({ min: 1, max: 8 });
  return fc.record({
    kind: fc.constantFrom('boxes', 'boxes', 'balls', 'balls', 'noise', ...maskKinds),
    eighths: fc.oneof(fc.constant({ z: 8, y: 8, x: 8 }), fc.record({ z: along, y: along, x: along })),
    dtype: fc.constantFrom('uint8', 'uint16', 'float32'),
    seed: fc.nat(1e6),
  });
}

export function drawMask({ kind, eighths, dtype, seed }: MaskRecipe, whole: Zyx): Drawn {
  const size = zyx((axis) => Math.ceil((whole[axis] * eighths[axis]) / 8));
  const next = random(seed);
  const somewhere = () => zyx((axis) => Math.floor(next() * size[axis]));
  const shapes = Array.from({ length: 1 + Math.floor(next() * 3) }, () => ({
    center: somewhere(),
    reach: zyx((axis) => (0.1 + 0.4 * next()) * size[axis]),
  }));
  const within: Record<MaskRecipe['kind'], (at: Zyx) => boolean> = {
    boxes: (at) =>
      shapes.some(({ center, reach }) => AXES.every((axis) => Math.abs(at[axis] - center[axis]) <= reach[axis])),
    balls: (at) =>
      shapes.some(
        ({ center, reach }) =>
          AXES.reduce((sum, axis) => sum + ((at[axis] - center[axis]) / (reach[axis] + 0.5)) ** 2, 0) <= 1,
      ),
    noise: () => next() < 0.7,
    empty: () => false,
    full: () => true,
  };
  const values = inside[dtype];
  const voxel = (_: unknown, at: number): number => {
    const x = at % size.x;
    const y = Math.floor(at / size.x) % size.y;
    const z = Math.floor(at / (size.x * size.y));
    if (within[kind]({ z, y, x })) return values[at % 2] as number;
    return dtype === 'float32' && at % 2 === 0 ? -0 : 0;
  };
  const data = Array.from({ length: size.z * size.y * size.x }, voxel);
  const types = { uint8: Uint8Array, uint16: Uint16Array, float32: Float32Array };
  return { data: new types[dtype](data), size };
}

export interface RegionRecipe {
  /** Two places along each axis, in eighths of the volume's extent. */
  readonly from: Zyx;
  readonly to: Zyx;
}

export function regionRecipes(): fc.Arbitrary<RegionRecipe> {
  const along = fc.tuple(fc.nat(7), fc.nat(7)).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) + 1 }));
  const both = fc.record({ z: along, y: along, x: along });
  return both.map((axes) => ({ from: zyx((a) => axes[a].from), to: zyx((a) => axes[a].to) }));
}

export function drawRegion({ from, to }: RegionRecipe, whole: Zyx): Region {
  return {
    start: zyx((axis) => Math.floor((whole[axis] * from[axis]) / 8)),
    stop: zyx((axis) => Math.ceil((whole[axis] * to[axis]) / 8)),
  };
}

/** Whether a voxel of a volume counts: a coarser mask is asked where the voxel's center lies. */
export function keptBy(mask: Drawn | null, region: Region | null, whole: Zyx): (at: Zyx) => boolean {
  const inMask = (at: Zyx) => {
    if (mask === null) return true;
    const { z, y, x } = zyx((axis) => Math.floor(((2 * at[axis] + 1) * mask.size[axis]) / (2 * whole[axis])));
    return mask.data[(z * mask.size.y + y) * mask.size.x + x] !== 0;
  };
  const inRegion = (at: Zyx) =>
    region === null || AXES.every((axis) => region.start[axis] <= at[axis] && at[axis] < region.stop[axis]);
  return (at) => inRegion(at) && inMask(at);
}
