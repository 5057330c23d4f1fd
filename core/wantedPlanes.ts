import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ChainConfig, NativeImage, PlanesWanted } from '../native/index.js';
import { onAbort } from '../native/onAbort.js';
import type { StepPlan } from './block.js';
import type { ExternalRings, ImageRing } from './chainMemory.js';
import type { Lanes } from './lanes.js';
import { callFor, type LentPlanes, type PlaneTask, store } from './planeTask.js';
import { makeInThread } from './stepThreads.js';
import { unlessAborted } from './unlessAborted.js';
import type { ModuleCode, PlaneFunction, UserStep } from './userStep.js';
import { bytesPerVoxel, type VolumeSize, voxelsOver } from './volume.js';

/** What it takes to make planes that a chain waits for. */
export interface Making {
  readonly plan: StepPlan;
  readonly config: ChainConfig;
  readonly volume: VolumeSize;
  readonly rings: ExternalRings;
  readonly lanes: Lanes;
  readonly signal: AbortSignal;
}

/**
 * Makes the planes that a chain waits for, by the user's function, and puts them into the image's ring: one after another on this
 * thread, or side by side in worker threads, each of which takes a lane. Settles only when nothing touches the rings any more.
 *
 * @throws {StepError} if the function fails or gives what it must not; rejects with the signal's reason when aborted
 */
export async function makePlanes(making: Making, wanted: PlanesWanted): Promise<void> {
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

function taskOf({ plan, config, volume, rings }: Making, { image, end }: PlanesWanted, z: number): PlaneTask {
  const { before, after } = plan.halo;
  const { with: names, options } = plan.external as UserStep;
  const firstPlane = Math.max(0, z - before.z);
  const stop = Math.min(end, z + after.z + 1);
  const [input, ...others] = rings.feeds.map((feed) => lent(config, feed, firstPlane, stop));
  return {
    step: plan.name,
    ...{ z, firstPlane, volume, options },
    input: input as LentPlanes,
    others: Object.fromEntries(names.map((name, at) => [name, others[at] as LentPlanes])),
    dtype: imageOf(config, image).dtype,
    result: lent(config, rings.result, z, z + 1),
  };
}

/** Views of planes in their ring. */
function lent(config: ChainConfig, { image, planes: places, slab }: ImageRing, from: number, to: number): LentPlanes {
  const { dtype, y, x } = imageOf(config, image);
  const pixels = (y[1] - y[0]) * (x[1] - x[0]);
  const planes = Array.from({ length: to - from }, (_, at) =>
    voxelsOver(dtype, slab, ((from + at) % places) * pixels * bytesPerVoxel[dtype], pixels),
  );
  return { planes, y, x };
}

function imageOf({ images }: ChainConfig, at: number): NativeImage {
  return images[at] as NativeImage;
}
