import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ChainConfig, NativeImage } from '../native/index.js';
import { onAbort } from '../native/onAbort.js';
import type { StepPlan } from './block.js';
import type { Lanes } from './lanes.js';
import { callFor, type LentPlanes, type PlaneTask, store } from './planeTask.js';
import { makeInThread } from './stepThreads.js';
import type { ModuleCode, PlaneFunction, UserStep } from './userStep.js';
import { bytesPerVoxel, type VolumeSize, voxelsOver } from './volume.js';

/** Planes of an image that a chain waits for, and the end of the volume as far as it is known. */
export interface WantedPlanes {
  readonly image: number;
  readonly from: number;
  readonly to: number;
  readonly end: number;
}

/** The rings of an image that is made outside of the native chain: its own, and those that it is made of. */
export interface ExternalRings {
  readonly image: number;
  readonly resultPlanes: number;
  readonly feeds: readonly { readonly image: number; readonly planes: number }[];
}

/** What it takes to make planes that a chain waits for. */
export interface Making {
  readonly plan: StepPlan;
  readonly config: ChainConfig;
  readonly volume: VolumeSize;
  readonly rings: ExternalRings;
  /** The memory of the rings, the result's first. */
  readonly slabs: readonly SharedArrayBuffer[];
  readonly lanes: Lanes;
  readonly signal: AbortSignal;
}

/**
 * Makes the planes that a chain waits for, by the user's function, and puts them into the image's ring: one after another on this
 * thread, or side by side in worker threads, each of which takes a lane. Settles only when nothing touches the rings any more.
 *
 * @throws {StepError} if the function fails or gives what it must not; rejects with the signal's reason when aborted
 */
export async function makePlanes(making: Making, wanted: WantedPlanes): Promise<void> {
  const { code } = making.plan.external as UserStep;
  const tasks = Array.from({ length: wanted.to - wanted.from }, (_, at) => taskOf(making, wanted, wanted.from + at));
  if (typeof code === 'function') await makeHere(tasks, code, making);
  else await makeSideBySide(tasks, code, making);
}

async function makeHere(tasks: readonly PlaneTask[], call: PlaneFunction, { signal }: Making): Promise<void> {
  for (const task of tasks) {
    signal.throwIfAborted();
    store(task, await unlessAborted(callFor(task, call, signal), signal));
    // A function that gives its planes at once would keep this thread from everything else, cancelling included.
    await nextTurn();
  }
}

async function makeSideBySide(tasks: readonly PlaneTask[], code: ModuleCode, { lanes, signal }: Making): Promise<void> {
  signal.throwIfAborted();
  const stop = new AbortController();
  const forget = onAbort(signal, () => stop.abort(signal.reason));
  const makeOne = async (task: PlaneTask) => {
    try {
      await lanes.run(
        () => 1,
        () => makeInThread(task, code, stop.signal),
      );
    } catch (error) {
      // The first failure ends the others, which then fail for its sake.
      stop.abort(error);
    }
  };
  await Promise.all(tasks.map(makeOne));
  forget();
  stop.signal.throwIfAborted();
}

/** Lets go of work that goes on though nobody wants it any more: what it gives then is dropped. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const forget = onAbort(signal, () => reject(signal.reason));
    work.then(resolve, reject).finally(forget);
  });
}

function taskOf({ plan, config, volume, rings, slabs }: Making, { image, end }: WantedPlanes, z: number): PlaneTask {
  const { before, after } = plan.halo;
  const { with: names, options } = plan.external as UserStep;
  const [ring, ...feedRings] = slabs as [SharedArrayBuffer, ...SharedArrayBuffer[]];
  const firstPlane = Math.max(0, z - before.z);
  const stop = Math.min(end, z + after.z + 1);
  const [input, ...others] = rings.feeds.map((feed, at) =>
    lent(imageOf(config, feed.image), feedRings[at] as SharedArrayBuffer, feed.planes, firstPlane, stop),
  );
  return {
    step: plan.name,
    ...{ z, firstPlane, volume, options },
    input: input as LentPlanes,
    others: Object.fromEntries(names.map((name, at) => [name, others[at] as LentPlanes])),
    dtype: imageOf(config, image).dtype,
    result: lent(imageOf(config, image), ring, rings.resultPlanes, z, z + 1),
  };
}

/** Views of planes in their ring, where plane z lies in the place that is the rest of z by the number of places. */
function lent(
  { dtype, y, x }: NativeImage,
  ring: SharedArrayBuffer,
  places: number,
  from: number,
  to: number,
): LentPlanes {
  const pixels = (y[1] - y[0]) * (x[1] - x[0]);
  const planes = Array.from({ length: to - from }, (_, at) =>
    voxelsOver(dtype, ring, ((from + at) % places) * pixels * bytesPerVoxel[dtype], pixels),
  );
  return { planes, y, x };
}

function imageOf({ images }: ChainConfig, at: number): NativeImage {
  return images[at] as NativeImage;
}
