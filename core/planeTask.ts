import { inspect } from 'node:util';
import { StepError } from './errors.js';
import type { PlaneFunction, PlaneWindow } from './userStep.js';
import { type Dtype, type VolumeSize, type Voxels, voxelsOver } from './volume.js';

/** Rows and columns of the volume, half-open. */
export interface Rectangle {
  readonly y: readonly [number, number];
  readonly x: readonly [number, number];
}

/** Planes of an image that follow one another in the volume, packed on one rectangle. */
export interface LentPlanes extends Rectangle {
  readonly planes: readonly Voxels[];
}

/** One plane to be made by a user's function. It is data and views of shared memory, so that it can go to another thread. */
export interface PlaneTask {
  /** The step, as errors name it. */
  readonly step: string;
  readonly z: number;
  /** The place in the volume of the first of the planes that are lent. */
  readonly firstPlane: number;
  readonly input: LentPlanes;
  readonly others: Readonly<Record<string, LentPlanes>>;
  readonly volume: VolumeSize;
  readonly options: unknown;
  readonly dtype: Dtype;
  /** Where the plane goes: the part of what the function gives that its halo makes right everywhere. */
  readonly result: LentPlanes;
}

/** Calls a user's function for one plane, and gives what it made, checked but not stored. */
export async function callFor(task: PlaneTask, call: PlaneFunction, signal: AbortSignal): Promise<Voxels> {
  const window = windowOf(task);
  let made: unknown;
  try {
    made = await call(window, task.z, signal);
  } catch (cause) {
    throw new StepError(task.step, `plane ${task.z}: ${cause instanceof Error ? cause : inspect(cause)}`, { cause });
  }
  const { y, x } = window.size;
  if (!isPlane(made, task.dtype, y * x)) {
    const expected = `a ${voxelsOver(task.dtype, new ArrayBuffer(0), 0, 0).constructor.name} of ${y * x} voxels`;
    throw new StepError(task.step, `plane ${task.z}: expected ${expected}, got ${describe(made)}`);
  }
  return made;
}

/** Stores what a function made, where it is right. */
export function store(task: PlaneTask, made: Voxels): void {
  const { planes, ...to } = task.result;
  copyRows(made, commonRectangle(task), planes[0] as Voxels, to);
}

/** What the function sees: planes as they lie in memory or, where images are there on different rectangles, copies of what all have. */
function windowOf(task: PlaneTask): PlaneWindow {
  const { z, firstPlane, volume, options } = task;
  const common = commonRectangle(task);
  const seen = (lent: LentPlanes) => lent.planes.map((plane) => cropped(plane, lent, common));
  return {
    planes: seen(task.input),
    center: z - firstPlane,
    size: { y: common.y[1] - common.y[0], x: common.x[1] - common.x[0] },
    start: { z: firstPlane, y: common.y[0], x: common.x[0] },
    volume,
    others: Object.fromEntries(Object.entries(task.others).map(([name, lent]) => [name, seen(lent)])),
    options,
  };
}

/** What all images have; each has at least the result's rectangle and the halo around it. */
function commonRectangle({ input, others }: PlaneTask): Rectangle {
  const all = [input, ...Object.values(others)];
  const along = (axis: 'y' | 'x') =>
    [Math.max(...all.map((lent) => lent[axis][0])), Math.min(...all.map((lent) => lent[axis][1]))] as const;
  return { y: along('y'), x: along('x') };
}

function cropped(plane: Voxels, from: Rectangle, to: Rectangle): Voxels {
  if ((['y', 'x'] as const).every((a) => from[a][0] === to[a][0] && from[a][1] === to[a][1])) return plane;
  const part = plane.slice(0, (to.y[1] - to.y[0]) * (to.x[1] - to.x[0]));
  copyRows(plane, from, part, to);
  return part;
}

/** Fills a rectangle from a greater one, row by row. */
function copyRows(from: Voxels, { y, x }: Rectangle, to: Voxels, inner: Rectangle): void {
  const [width, length] = [x[1] - x[0], inner.x[1] - inner.x[0]];
  let at = (inner.y[0] - y[0]) * width + inner.x[0] - x[0];
  for (let row = 0; row < inner.y[1] - inner.y[0]; row++, at += width) {
    to.set(from.subarray(at, at + length), row * length);
  }
}

function isPlane(made: unknown, dtype: Dtype, voxels: number): made is Voxels {
  const is = { uint8: Uint8Array, uint16: Uint16Array, float32: Float32Array }[dtype];
  return made instanceof is && made.length === voxels;
}

function describe(made: unknown): string {
  if (ArrayBuffer.isView(made) && 'length' in made) return `${made.constructor.name} of ${made.length}`;
  if (typeof made === 'object' && made !== null) return made.constructor?.name ?? 'object';
  return inspect(made);
}
