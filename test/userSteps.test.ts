/** Steps of the user's own, in whole pipelines. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { firstValueFrom, lastValueFrom, type Observable, reduce } from 'rxjs';
import type { Zyx } from '../core/geometry.js';
import {
  applied,
  type Block,
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
import { gather, sorted } from './support/detect.js';
import { coreFor, coreSizes } from './support/layouts.js';
import { naive } from './support/naive.js';
import { asRead } from './support/naiveImages.js';
import { weighed } from './support/naiveStep.js';
import { readNpy } from './support/npy.js';
import { runs } from './support/random.js';
import { cut, readRegion, same } from './support/reading.js';
import { AMPLE_BYTES, delayOf, engineRecipes, optionsFor } from './support/recipes.js';
import { RecordingVolume } from './support/recordingVolume.js';
import { tally } from './support/tally.js';
import { tempFolder } from './support/temp.js';
import { isTold, longestStretchMs } from './support/threadTime.js';
import * as functions from './support/userFunctions.js';
import { imagesOfChain, MODULE, pipelineOf, userChains, ways } from './support/userSteps.js';
import { dtypeOf } from './support/values.js';
import { type Drawn, drawVolume, inMemory, volumeRecipes } from './support/volumes.js';
import { until, within } from './support/waiting.js';

const dtypes = ['uint8', 'uint16', 'float32'];

test.serial(
  "a user's steps give the images and cells of the whole volume, for every layout, type and way to run",
  async (t) => {
    const folder = await tempFolder(t);
    const reached = tally();
    let number = 0;
    await t.notThrowsAsync(
      fc.assert(
        fc.asyncProperty(
          volumeRecipes({ most: 12 }).chain((recipe) => fc.tuple(fc.constant(recipe), volumeRecipes())),
          userChains,
          coreSizes(8),
          fc.constantFrom(0, 0, 3),
          engineRecipes(),
          async ([recipe, channel], chain, coreSize, overlap, engine) => {
            const drawn = drawVolume(recipe);
            const { size } = drawn;
            const nuclei = drawVolume({ ...channel, size }).data;
            const core = coreFor(coreSize, size, 30);
            const images = imagesOfChain(chain, { source: asRead(drawn.data), nuclei: asRead(nuclei), size });
            const last = images.at(-1)?.data as Drawn['data'];
            const threshold = last.toSorted()[Math.floor(last.length / 2)] as number;
            number += 1;
            const path = (name: string) => join(folder, `${number}.${name}.npy`);
            const sinks = Object.fromEntries(images.map(({ name }) => [name, npyVolume(path(name))]));
            const measure = ['source', ...images.map(({ name }) => name)];
            const asked = pipelineOf(images, sinks, threshold, measure);

            // Of a source that keeps planes each push takes one, and rings wrap around.
            const planeByPlane = engine.delays.length % 2 === 1;
            const source = { ...inMemory(drawn), ...(planeByPlane && { keepsPlanes: 4096 }) };
            const volume = new RecordingVolume(source, { delay: delayOf(engine) });
            const also = { nuclei: inMemory({ data: nuclei, size }, 'nuclei') };
            const options = optionsFor(engine);
            const { rows } = await gather((progress) =>
              blocks(volume, { size: core, overlap, also }).pipe(asked, cells({ ...options, progress })),
            );

            for (const { name, data } of images) {
              const saved = await readNpy(path(name));
              assert.ok(same(saved.data, data), `${name} as it was saved`);
            }
            const found = {
              source: asRead(drawn.data),
              ...Object.fromEntries(images.map(({ name, data }) => [name, data])),
            };
            const truth = naive(
              { data: last, size, also: found },
              {
                removeBackground: null,
                ...{ maxima: { size: { z: 3, y: 3, x: 3 }, threshold: null }, shape: { threshold } },
                ...{ method: 'sum', measure },
              },
            );
            assert.deepEqual(
              sorted(rows),
              truth.cells.map(({ row }) => row),
              'cells',
            );
            assert.equal(options.memory?.liveBytes ?? 0, 0);

            const blocksOfVolume = Math.ceil(size.z / core.z) * Math.ceil(size.y / core.y) * Math.ceil(size.x / core.x);
            const own = [chain.first, ...(chain.second ? [chain.second] : [])];
            for (const { way, halo, with: others } of own) {
              reached.seen(way, blocksOfVolume > 1);
              for (const a of ['z', 'y', 'x'] as const) {
                reached.seen(`halo in ${a} across cores`, halo[a] > 0 && core[a] < size[a]);
                reached.seen(`no halo in ${a}`, halo[a] === 0);
              }
              for (const other of others) reached.seen(`with ${other}`, blocksOfVolume > 1);
            }
            for (const { name, data } of images) reached.seen(`${name} of ${dtypeOf(data)}`);
            const order = images.map(({ name }) => name).join(', ');
            reached.seen(order);
            reached.seen('plane by plane', planeByPlane && core.z > 1 && own.some(({ halo }) => halo.z > 0));
            reached.seen(
              'more overlap than steps need',
              overlap > 0 && images.every(({ name }) => name !== 'background'),
            );
            reached.seen('many cells', rows.length > 1 && blocksOfVolume > 1);
          },
        ),
        runs(200),
      ),
    );
    t.deepEqual(
      reached.missing([
        ...Object.keys(ways),
        ...['z', 'y', 'x'].flatMap((a) => [`halo in ${a} across cores`, `no halo in ${a}`]),
        ...['source', 'nuclei', 'smooth'].map((name) => `with ${name}`),
        ...['smooth', 'sharp'].flatMap((name) => dtypes.map((dtype) => `${name} of ${dtype}`)),
        ...['smooth', 'smooth, background', 'background, smooth', 'smooth, sharp'],
        ...['background, smooth, sharp', 'smooth, background, sharp', 'smooth, sharp, background'],
        ...['plane by plane', 'more overlap than steps need', 'many cells'],
      ]),
      [],
    );
  },
);

/** Sixteen planes in blocks of 4 x 16 x 10 voxels. */
const size: Zyx = { z: 16, y: 16, x: 20 };
const core: Zyx = { z: 4, y: 16, x: 10 };
const fixed = drawVolume({ kind: 'beads', size, seed: 5, levels: 3 });
const halo = { z: 1, y: 2, x: 1 };
const weighing = { halo, dtype: 'uint16' as const };
const smooth = step('smooth', { halo, options: weighing, module: MODULE });

test.serial('voxels() and applied() give a user step of the whole volume', async (t) => {
  const expected = weighed([fixed.data], size, weighing);
  const described = blocks(inMemory(fixed), { size: core }).pipe(smooth);
  const block: Block<'source' | 'smooth'> = await lastValueFrom(described);
  t.true(same(await block.voxels('smooth'), cut(expected, size, block.core)));
  const lazy = applied(inMemory(fixed), smooth);
  t.is(lazy.dtype, 'uint16');
  const region = { start: { z: 3, y: 1, x: 4 }, stop: { z: 9, y: 14, x: 17 } };
  t.true(same(await readRegion(lazy, region), cut(expected, size, region)));
});

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
