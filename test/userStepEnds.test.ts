/** How steps of the user's own end: by failing, by being cancelled; and what they leave of the JavaScript thread. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { firstValueFrom, lastValueFrom, type Observable, reduce } from 'rxjs';
import type { Zyx } from '../core/geometry.js';
import {
  BlockError,
  Budget,
  blocks,
  cells,
  idle,
  maxima,
  npyVolume,
  type PlaneFunction,
  removeBackground,
  run,
  runningJobs,
  StepError,
  save,
  shape,
  step,
  synthetic,
} from '../index.js';
import { ended, startIn } from './support/command.js';
import { inProject } from './support/paths.js';
import { same } from './support/reading.js';
import { AMPLE_BYTES } from './support/recipes.js';
import { RecordingVolume } from './support/recordingVolume.js';
import { tempFolder } from './support/temp.js';
import { isTold, longestStretchMs } from './support/threadTime.js';
import * as functions from './support/userFunctions.js';
import { MODULE } from './support/userSteps.js';
import { drawVolume, inMemory } from './support/volumes.js';
import { until, within } from './support/waiting.js';

/** Sixteen planes in blocks of 4 x 16 x 10 voxels. */
const size: Zyx = { z: 16, y: 16, x: 20 };
const core: Zyx = { z: 4, y: 16, x: 10 };
const fixed = drawVolume({ kind: 'beads', size, seed: 5, levels: 3 });
const halo = { z: 1, y: 2, x: 1 };
const weighing = { halo, dtype: 'uint16' as const };

test.serial('this thread stays free while a module makes planes of 2048 x 2048', async (t) => {
  const extent = { z: 8, y: 2048, x: 2048 };
  const { volume } = synthetic({ size: extent, cells: 300, seed: 1 });
  const asked = (how: { run: PlaneFunction } | { module: URL; export: string }) => {
    const own = step('smooth', { halo: { z: 0, y: 1, x: 1 }, ...how });
    const found = blocks(volume, { size: extent }).pipe(removeBackground(), own, maxima(), shape({ threshold: 100 }));
    return lastValueFrom(
      found.pipe(
        cells({ threads: 2 }),
        reduce((count, batch) => count + batch.cells.count, 0),
      ),
    );
  };
  let count = 0;
  const work = async () => {
    count = await asked({ module: MODULE, export: 'half' });
  };
  if (!isTold) await work();
  else {
    const longest = await longestStretchMs(work);
    t.log(`it worked ${longest.toFixed(1)} ms at a stretch`);
    t.true(longest < 20, `${longest} ms`);
    const inline = await longestStretchMs(() => asked({ run: functions.half }));
    t.true(inline > 5, `the clock stands still: ${inline} ms`);
  }
  t.true(count > 0);
});

/** The error with which a pipeline with this function ends. */
async function failure(
  t: ExecutionContext,
  code: { run: PlaneFunction } | { module: URL; export: string },
  dtype?: 'float32',
) {
  const own = step('smooth', { halo, options: weighing, ...code, ...(dtype && { dtype }) });
  const budget = new Budget({ imageBytes: AMPLE_BYTES, sparseBytes: 2 ** 20 });
  const running = blocks(inMemory(fixed, 'brain'), { size: core }).pipe(
    removeBackground({ size: 3 }),
    own,
    maxima(),
    shape(),
    cells({ memory: budget, threads: 1 }),
  );
  const error = await t.throwsAsync(within(20_000, 'the run', lastValueFrom(running)), { instanceOf: BlockError });
  await within(5000, 'idle()', idle());
  t.is(budget.liveBytes, 0);
  t.is(runningJobs(), 0);
  return error;
}

for (const how of ['inline', 'in threads'] as const)
  test.serial(`a function that fails ends the run, and the error names block, step and plane: ${how}`, async (t) => {
    const of = (name: string, dtype?: 'float32') => {
      const run = (functions as unknown as Record<string, PlaneFunction>)[name] as PlaneFunction;
      return failure(t, how === 'inline' ? { run } : { module: MODULE, export: name }, dtype);
    };
    const thrown = await of('boomAtThree');
    t.is(thrown.message, 'block [0:4, 0:16, 0:10] of brain: step smooth: plane 3: RangeError: boom');
    t.true(thrown.cause instanceof StepError);
    t.is(((thrown.cause as StepError).cause as Error).message, 'boom');
    t.regex(
      (await of('tooFew')).message,
      /^block \[0:4, 0:16, 0:\d+\] of brain: step smooth: plane \d: expected a Uint16Array of \d+ voxels, got Uint16Array of 10$/,
    );
    t.regex(
      (await of('weigh', 'float32')).message,
      /step smooth: plane \d: expected a Float32Array of \d+ voxels, got Uint16Array of \d+$/,
    );
    const nan = await of('notANumber', 'float32');
    t.is(
      nan.message,
      'block [0:4, 0:16, 0:10] of brain: step smooth: voxel z 0, y 1, x 2, expected a finite number, got NaN',
    );
  });

async function cancelled(
  t: ExecutionContext,
  pipeline: Observable<unknown>,
  begun: () => boolean,
  budget: Budget,
): Promise<void> {
  const subscription = pipeline.subscribe({ error: (error) => t.fail(`cancelling is not an error: ${error}`) });
  await until('the function was called', begun);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const start = performance.now();
  subscription.unsubscribe();
  await within(5000, 'idle()', idle());
  const took = performance.now() - start;
  t.log(`idle after ${took.toFixed(1)} ms`);
  t.true(took < 1000, `it took ${took} ms`);
  t.is(budget.liveBytes, 0);
  t.is(runningJobs(), 0);
}

test.serial('a function that never resolves is let go of by unsubscribing, and told by its signal', async (t) => {
  const budget = new Budget({ imageBytes: AMPLE_BYTES, sparseBytes: 2 ** 20 });
  const signals: AbortSignal[] = [];
  const own = step('smooth', {
    halo,
    run: (_, __, signal) => {
      signals.push(signal);
      return new Promise(() => {});
    },
  });
  const running = blocks(inMemory(fixed), { size: core }).pipe(own, maxima(), cells({ memory: budget }));
  await cancelled(t, running, () => signals.length > 0, budget);
  t.true(signals.every(({ aborted }) => aborted));
});

for (const name of ['never', 'forever'])
  test.serial(`a thread that never answers is ended by unsubscribing: ${name}`, async (t) => {
    const folder = await tempFolder(t);
    const budget = new Budget({ imageBytes: AMPLE_BYTES, sparseBytes: 2 ** 20 });
    const volume = new RecordingVolume(inMemory(fixed));
    const own = step('smooth', { halo, module: MODULE, export: name });
    const running = blocks(volume, { size: core }).pipe(
      own,
      save('smooth', npyVolume(join(folder, 'smooth.npy'))),
      run({ memory: budget }),
    );
    await cancelled(t, running, () => volume.regions.length > 0, budget);
  });

test.serial('voxels() of a step that never resolves ends with its signal', async (t) => {
  const own = step('smooth', { halo, module: MODULE, export: 'never' });
  const block = await firstValueFrom(blocks(inMemory(fixed), { size: core }).pipe(own));
  const stop = new AbortController();
  const pending = block.voxels('smooth', { signal: stop.signal });
  setTimeout(() => stop.abort(new Error('enough')), 200);
  await t.throwsAsync(within(5000, 'the abort', pending), { message: 'enough' });
  await within(5000, 'idle()', idle());
});

test.serial('timers go on between the planes of a function that gives them at once', async (t) => {
  let [ticks, planes] = [0, 0];
  const timer = setInterval(() => {
    ticks += 1;
  }, 1);
  t.teardown(() => clearInterval(timer));
  const seen: number[] = [];
  const own = step('smooth', {
    halo: 0,
    run: ({ planes: lent, center }) => {
      planes += 1;
      seen.push(ticks);
      const end = performance.now() + 4;
      while (performance.now() < end);
      return lent[center] as Uint16Array;
    },
  });
  const block = await firstValueFrom(blocks(inMemory(fixed)).pipe(own));
  t.true(same(await block.voxels('smooth'), fixed.data));
  t.is(planes, size.z);
  t.true(new Set(seen).size > size.z / 2, `${seen}`);
});

test.serial(
  'a program ends with its run though threads wait for more, also one that Node is given as text',
  async (t) => {
    const program = `
    import { lastValueFrom } from 'rxjs';
    import { blocks, step, synthetic } from 'somaflow';
    const { volume } = synthetic({ size: { z: 4, y: 64, x: 64 }, cells: 3, seed: 1 });
    const own = step('smooth', { halo: 0, module: '${fileURLToPath(MODULE)}', export: 'half' });
    const block = await lastValueFrom(blocks(volume).pipe(own));
    console.log((await block.voxels('smooth')).length);
    setTimeout(() => console.log('it waits for its threads'), 1500).unref();`;
    const { code, stdout, stderr } = await ended(startIn(inProject('.'), ['--input-type=module', '-e', program]));
    t.is(code, 0, stderr);
    t.is(stdout, `${4 * 64 * 64}\n`);
  },
);
