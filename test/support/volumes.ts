/**
 * Small volumes that are hard on seams, ties and plateaus. A case is drawn as a recipe, a few plain values, so that a
 * failing one prints in a line, shrinks, and can be kept as a plain test.
 */
import fc from 'fast-check';
import { AXES, type Region, type Zyx } from '../../core/geometry.js';
import { arrayVolume, type Volume, type Voxels } from '../../index.js';
import { random } from './random.js';
import { paintedAs, type ValueKind, valueKindsDrawn } from './values.js';

const painters = {
  noise,
  fullRange,
  speckle,
  blobs,
  saturated,
  snakes,
  beads,
  comb,
  serpentine,
  boxes,
  shells,
  ramp,
  constant,
} as const;

export type VolumeKind = keyof typeof painters;
export const volumeKinds = Object.keys(painters) as VolumeKind[];

export interface VolumeRecipe {
  readonly kind: VolumeKind;
  readonly size: Zyx;
  readonly seed: number;
  /** Distinct grey levels that the kind makes use of; few levels make plateaus and ties. */
  readonly levels: number;
  /** What becomes of the painted grey levels; left out, they are the voxels. */
  readonly values?: ValueKind;
}

/** Voxels of a whole volume in memory, z, y, x order. */
export interface Drawn {
  readonly data: Voxels;
  readonly size: Zyx;
  /** Co-registered channels of the same extent, by their names. */
  readonly also?: Readonly<Record<string, Voxels>>;
}

export function inMemory({ data, size }: Drawn, id?: string): Volume {
  return arrayVolume(data, size, id === undefined ? {} : { id });
}

export interface VolumeLimits {
  readonly kinds?: readonly VolumeKind[];
  readonly least?: number;
  readonly most?: number;
}

/** Recipes of volumes, `least..most` voxels along each axis. */
export function volumeRecipes({ kinds = volumeKinds, least = 1, most = 24 }: VolumeLimits = {}) {
  // Small extents have their own mistakes, but only larger ones are cut in interesting ways.
  const along = fc.oneof(
    { weight: 1, arbitrary: fc.integer({ min: least, max: most }) },
    { weight: 3, arbitrary: fc.integer({ min: Math.max(least, Math.ceil(most / 3)), max: most }) },
  );
  return fc.record({
    kind: fc.constantFrom(...kinds),
    size: fc.record({ z: along, y: along, x: along }),
    seed: fc.nat(1e6),
    levels: fc.integer({ min: 1, max: 5 }),
    values: valueKindsDrawn(),
  }) satisfies fc.Arbitrary<VolumeRecipe>;
}

/** Paints the volume of a recipe. */
export function drawVolume({ kind, size, seed, levels, values = 'words' }: VolumeRecipe): Drawn {
  const canvas = new Canvas(size);
  painters[kind](canvas, random(seed), levels);
  return { data: paintedAs(values, canvas.data), size };
}

const BASE = 100;

class Canvas {
  readonly data: Uint16Array;
  constructor(readonly size: Zyx) {
    this.data = new Uint16Array(size.z * size.y * size.x).fill(BASE);
  }

  each(value: (at: Zyx) => number): void {
    const { z: depth, y: height, x: width } = this.size;
    let to = 0;
    for (let z = 0; z < depth; z++)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) this.data[to++] = Math.min(65535, Math.max(0, Math.round(value({ z, y, x }))));
  }

  /** Raises a voxel to at least `value`; outside the volume nothing happens. */
  raise({ z, y, x }: Zyx, value: number): void {
    const { size } = this;
    if (z < 0 || y < 0 || x < 0 || z >= size.z || y >= size.y || x >= size.x) return;
    const to = (z * size.y + y) * size.x + x;
    this.data[to] = Math.max(this.data[to] as number, Math.min(65535, value));
  }

  fill({ start, stop }: Region, value: number): void {
    for (let z = start.z; z < stop.z; z++)
      for (let y = start.y; y < stop.y; y++) for (let x = start.x; x < stop.x; x++) this.raise({ z, y, x }, value);
  }

  somewhere(next: () => number): Zyx {
    return {
      z: Math.floor(next() * this.size.z),
      y: Math.floor(next() * this.size.y),
      x: Math.floor(next() * this.size.x),
    };
  }

  get voxels(): number {
    return this.data.length;
  }
}

type Axis = (typeof AXES)[number];

function pick<T>(items: readonly T[], next: () => number): T {
  return items[Math.floor(next() * items.length)] as T;
}

/** A level above the base; the same few values again and again. */
function level(levels: number, next: () => number): number {
  return BASE + 400 * (1 + Math.floor(next() * levels));
}

function noise(canvas: Canvas, next: () => number, levels: number): void {
  canvas.each(() => BASE + 400 * Math.floor(next() * (levels + 1)));
}

function fullRange(canvas: Canvas, next: () => number): void {
  canvas.each(() => Math.floor(next() * 65536));
}

/** Single voxels, far apart or not at all. */
function speckle(canvas: Canvas, next: () => number, levels: number): void {
  const count = Math.ceil(canvas.voxels * 0.01 * levels);
  for (let i = 0; i < count; i++) canvas.raise(canvas.somewhere(next), level(levels, next));
}

/** Rounded cells that touch and overlap, on noise, with values rounded so that ties and plateaus occur. */
function blobs(canvas: Canvas, next: () => number, levels: number, top = 6000): void {
  const count = 1 + Math.floor((next() * canvas.voxels) / 150);
  const cells = Array.from({ length: Math.min(count, 40) }, () => ({
    at: canvas.somewhere(next),
    peak: (0.2 + 1.4 * next()) * top,
    width: { z: 0.6 + next(), y: 0.8 + 1.5 * next(), x: 0.8 + 1.5 * next() },
  }));
  const grain = pick([1, 100, top / 4], next);
  canvas.each((p) => {
    let value = BASE + Math.floor(next() * levels) * 10;
    for (const { at, peak, width } of cells) {
      let distance = 0;
      for (const axis of AXES) distance += ((p[axis] - at[axis]) / width[axis]) ** 2;
      if (distance < 18) value += peak * Math.exp(-distance / 2);
    }
    return Math.min(top, Math.round(value / grain) * grain);
  });
}

function saturated(canvas: Canvas, next: () => number, levels: number): void {
  blobs(canvas, next, levels, 65535);
}

/** Flat ridges, one voxel wide and longer than any window, that turn, cross and meet themselves. */
function snakes(canvas: Canvas, next: () => number, levels: number): void {
  const count = 1 + Math.floor(next() * 5);
  for (let i = 0; i < count; i++) walk(canvas, next, level(levels, next), () => {});
}

/** Flat ridges that carry peaks of equal value: several seeds in one component, decided by their order alone. */
function beads(canvas: Canvas, next: () => number, levels: number): void {
  const count = 1 + Math.floor(next() * 4);
  for (let i = 0; i < count; i++) {
    const value = level(levels, next);
    const spacing = 2 + Math.floor(next() * 7);
    let passed = 0;
    walk(canvas, next, value, (at) => {
      if (passed++ % spacing === 0) canvas.raise(at, value + 500);
    });
  }
}

function walk(canvas: Canvas, next: () => number, value: number, passing: (at: Zyx) => void): void {
  let at = canvas.somewhere(next);
  const turns = 3 + Math.floor(next() * 12);
  for (let turn = 0; turn < turns; turn++) {
    const axis: Axis = pick(AXES, next);
    const direction = next() < 0.5 ? -1 : 1;
    const length = 1 + Math.floor(next() * canvas.size[axis]);
    for (let step = 0; step < length; step++) {
      const to = { ...at, [axis]: at[axis] + direction };
      if (to[axis] < 0 || to[axis] >= canvas.size[axis]) break;
      at = to;
      canvas.raise(at, value);
      passing(at);
    }
  }
}

/**
 * Teeth that are apart everywhere but at one face of the volume, where a spine joins them: the component is known to
 * be one only when the block that holds the spine has come. Some have peaks at their tips.
 */
function comb(canvas: Canvas, next: () => number, levels: number): void {
  const along = pick(AXES, next);
  const [across, other] = AXES.filter((axis) => axis !== along) as [Axis, Axis];
  const last = canvas.size[along] - 1;
  const spineAt = next() < 0.7 ? last : 0;
  const value = level(levels, next);
  const spacing = 2 + Math.floor(next() * 2);
  const flat = next() < 0.5;
  for (let b = 0; b < canvas.size[other]; b += spacing)
    for (let a = 0; a < canvas.size[across]; a++) {
      const tooth = a % spacing === 0;
      for (let c = 0; c <= last; c++)
        if (tooth || c === spineAt) canvas.raise({ z: 0, y: 0, x: 0, [along]: c, [across]: a, [other]: b }, value);
      if (tooth && !flat)
        canvas.raise({ z: 0, y: 0, x: 0, [along]: last - spineAt, [across]: a, [other]: b }, value + 300);
    }
  // The rows of teeth are apart from one another unless a bar joins them too.
  if (next() < 0.5)
    for (let b = 0; b < canvas.size[other]; b++)
      canvas.raise({ z: 0, y: 0, x: 0, [along]: spineAt, [across]: 0, [other]: b }, value);
}

/** One line to and fro through the volume: it leaves a core and enters it again, many times. */
function serpentine(canvas: Canvas, next: () => number, levels: number): void {
  const order = pick(
    [
      ['z', 'y', 'x'],
      ['y', 'x', 'z'],
      ['x', 'z', 'y'],
      ['z', 'x', 'y'],
    ] as [Axis, Axis, Axis][],
    next,
  );
  const [slow, middle, fast] = order;
  const value = level(levels, next);
  const peaks = next() < 0.6;
  for (let s = 0; s < canvas.size[slow]; s += 2) {
    for (let m = 0; m < canvas.size[middle]; m++) {
      const turning = m % 2 === 1;
      const end = m % 4 === 1 ? canvas.size[fast] - 1 : 0;
      for (let f = 0; f < canvas.size[fast]; f++) {
        if (turning && f !== end) continue;
        const bump = peaks && next() < 0.15 ? 500 : 0;
        canvas.raise({ z: 0, y: 0, x: 0, [slow]: s, [middle]: m, [fast]: f }, value + bump);
      }
    }
    if (next() < 0.7) canvas.raise({ z: 0, y: 0, x: 0, [slow]: s + 1, [middle]: 0, [fast]: 0 }, value);
  }
}

/** Solid boxes that overlap and touch: flat cells over faces, edges and corners of cores. */
function boxes(canvas: Canvas, next: () => number, levels: number): void {
  const count = 1 + Math.floor(next() * 8);
  for (let i = 0; i < count; i++) {
    const start = canvas.somewhere(next);
    const stop = {
      z: start.z + 1 + Math.floor(next() * 5),
      y: start.y + 1 + Math.floor(next() * 6),
      x: start.x + 1 + Math.floor(next() * 6),
    };
    const value = level(levels, next);
    canvas.fill({ start, stop }, value);
    if (next() < 0.5) canvas.raise(start, value + 200);
    if (next() < 0.5) canvas.raise({ z: stop.z - 1, y: stop.y - 1, x: stop.x - 1 }, value + 200);
  }
}

/** Hollow boxes one within another, apart or joined by a bridge. */
function shells(canvas: Canvas, next: () => number, levels: number): void {
  const value = level(levels, next);
  canvas.each(({ z, y, x }) => {
    const depth = Math.min(z, y, x, canvas.size.z - 1 - z, canvas.size.y - 1 - y, canvas.size.x - 1 - x);
    return depth % 2 === 0 ? value : BASE;
  });
  const { y, x } = canvas.somewhere(next);
  if (next() < 0.5) canvas.fill({ start: { z: 0, y, x }, stop: { z: canvas.size.z, y: y + 1, x: x + 1 } }, value);
  for (let i = 0; i < levels; i++) canvas.raise(canvas.somewhere(next), value + 300);
}

/** A slope through the whole volume in steps, with equal peaks strewn over it. */
function ramp(canvas: Canvas, next: () => number, levels: number): void {
  const slope = { z: Math.floor(next() * 5) - 2, y: Math.floor(next() * 5) - 2, x: Math.floor(next() * 5) - 2 };
  const stair = pick([1, 3, 8], next);
  canvas.each(({ z, y, x }) => 2000 + 20 * Math.floor((slope.z * z + slope.y * y + slope.x * x) / stair));
  for (let i = 0; i < 2 * levels; i++) canvas.raise(canvas.somewhere(next), 3500);
}

function constant(canvas: Canvas, next: () => number): void {
  canvas.data.fill(pick([0, 1, 1234, 65535], next));
}
