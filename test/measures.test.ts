/** What users measure of cells by functions of their own; that it is the same for every layout is drawn in layout.test. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { lastValueFrom } from 'rxjs';
import { LEAST_SPARSE_BYTES } from '../core/chainPlan.js';
import {
  arrayVolume,
  BlockError,
  Budget,
  BudgetError,
  blocks,
  type CellVoxels,
  type CellWindows,
  cells,
  detectCells,
  idle,
  intensity,
  type MeasureFunction,
  maxima,
  measure,
  npyVolume,
  OptionError,
  removeBackground,
  run,
  runningJobs,
  StepError,
  save,
  shape,
} from '../index.js';
import { gather } from './support/detect.js';
import { naive } from './support/naive.js';
import { readNpy } from './support/npy.js';
import { position } from './support/places.js';
import { ample, chain, clean, core, drawn, truth, volumeOf } from './support/stream.js';
import { tempFolder } from './support/temp.js';
import { drawVolume, inMemory } from './support/volumes.js';
import { until, within } from './support/waiting.js';

const ones = (_: unknown, count: number) => new Float64Array(count).fill(1);
const searched = () => blocks(volumeOf(), { size: core }).pipe(maxima({ size: 3, threshold: 200 }));
const shaped = () => searched().pipe(shape({ threshold: 300 }));

test('options of measure that cannot be are refused when it is called', (t) => {
  const call = measure as unknown as (...args: unknown[]) => unknown;
  const wrong: [unknown[], string][] = [
    [['1st', { of: 'source' }, ones], "measure: name must be of letters, digits and '_', a letter first, got '1st'"],
    [['width'], 'measure width: options must be an object of of, window, got undefined'],
    [['width', { off: 'source' }, ones], "measure width: has no option 'off', did you mean 'of'?"],
    [['width', {}, ones], 'measure width: of must be the name of an image, got undefined'],
    [['width', { of: 'source' }], 'measure width: the function must be one of cells and their count, got undefined'],
    [['width', { of: 'source', window: 0 }, ones], 'measure width: window must be an integer in 1..255, got 0'],
    [
      ['width', { of: 'source', window: { z: 1, y: 256, x: 3 } }, ones],
      'measure width: window.y must be an integer in 1..255, got 256',
    ],
  ];
  for (const [args, message] of wrong) t.throws(() => call(...args), { instanceOf: OptionError, message });
});

test('a measure cannot come before what it needs, nor have the name of another column', async (t) => {
  const own = measure('own', { of: 'source' }, ones);
  const refused = (pipe: unknown) => lastValueFrom(pipe as ReturnType<typeof searched>);
  const early = searched().pipe(own as never);
  await t.throwsAsync(refused(early), {
    message: /^measure own: its place in the pipeline must be after a step that makes 'shape'/,
  });
  const unknown = searched().pipe(measure('own', { of: 'backgruond' as never, window: 3 }, ones) as never);
  await t.throwsAsync(refused(unknown), { message: /must be after a step that makes 'backgruond'/ });
  for (const name of ['source', 'size', 'x', 'label']) {
    const named = measure(name, { of: 'source', window: 3 }, ones);
    const table = shaped().pipe(intensity({ measure: ['source'] }), named, cells({ columns: ['label'] }));
    await t.throwsAsync(lastValueFrom(table), {
      instanceOf: OptionError,
      message: `measure ${name}: name must be one that no other column has, got '${name}'`,
    });
  }
  const twice = shaped().pipe(own, own, cells());
  await t.throwsAsync(lastValueFrom(twice), { message: /^measure own: name must be one that no other column has/ });
});

test('columns come in the order of the steps, behind those of intensity and before those asked for', async (t) => {
  const near = measure('near', { of: 'source', window: 1 }, ({ voxels }) => Float64Array.from(voxels));
  const own = measure('own', { of: 'source' }, ({ offsets }, count) =>
    Float64Array.from({ length: count }, (_, at) => (offsets[at + 1] as number) - (offsets[at] as number)),
  );
  const { names, rows } = await gather(() =>
    shaped().pipe(own, near, intensity({ measure: ['source'] }), cells({ columns: ['flags', 'label'] })),
  );
  t.deepEqual(names, ['x', 'y', 'z', 'size', 'source', 'own', 'near', 'flags', 'label']);
  t.is(rows.length, truth.cells.length);
  // A cell has its greatest value at its center.
  for (const [, , , size, source, sizeToo, center] of rows) t.deepEqual([sizeToo, center], [size, source]);
});

test('windows come many at a time, and with the extent of the volume', async (t) => {
  const calls: number[] = [];
  const size = { z: 3, y: 64, x: 64 };
  const data = new Uint16Array(size.z * size.y * size.x).map((_, at) => (at % 2 === 0 ? 500 : 400));
  const all = blocks(arrayVolume(data, size)).pipe(
    maxima({ size: 1, threshold: null }),
    measure('sum', { of: 'source', window: { z: 3, y: 9, x: 9 } }, ({ voxels, size: window, volume }, count) => {
      calls.push(count);
      t.deepEqual(volume, size);
      t.is(voxels.length, count * window.z * window.y * window.x);
      return new Float64Array(count);
    }),
    cells(),
  );
  const { rows } = await gather(() => all);
  t.is(rows.length, data.length);
  t.is(
    calls.reduce((a, b) => a + b),
    data.length,
  );
  t.true(calls.length < 40, `${calls.length} calls`);
  // All windows of a batch of planes would take more than is given at a time.
  t.true(calls.length > 2, `${calls.length} calls`);
});

test('several windows of a cell have their own values', async (t) => {
  const at = (name: string, window: { z: number; y: number; x: number }, place: number) =>
    measure(name, { of: 'source', window }, ({ voxels }, count) =>
      Float64Array.from({ length: count }, (_, cell) => voxels[(voxels.length / count) * cell + place] as number),
    );
  const before = at('before', { z: 1, y: 1, x: 3 }, 0);
  const own = at('own', { z: 1, y: 1, x: 1 }, 0);
  const below = at('below', { z: 1, y: 3, x: 1 }, 2);
  const { rows } = await gather(() => shaped().pipe(before, own, below, cells()));
  const value = (z: number, y: number, x: number) =>
    y < 0 || x < 0 || y >= drawn.size.y || x >= drawn.size.x
      ? 0
      : drawn.data[(z * drawn.size.y + y) * drawn.size.x + x];
  t.is(rows.length, truth.cells.length);
  for (const [x = 0, y = 0, z = 0, , ...found] of rows)
    t.deepEqual(found, [value(z, y, x - 1), value(z, y, x), value(z, y + 1, x)]);
});

test('a window over a channel may reach further than anything does in the source', async (t) => {
  const size = { z: 4, y: 40, x: 44 };
  const voxel = ({ z, y, x }: { z: number; y: number; x: number }) => (z * size.y + y) * size.x + x;
  const source = new Uint16Array(size.z * size.y * size.x);
  const nuclei = source.map((_, at) => (at * 7919) % 251);
  const centers = [0, 13, 25, 39].map((y, at) => ({ z: at, y, x: 43 - y }));
  for (const at of centers) source[voxel(at)] = 500;
  const wide = measure('wide', { of: 'nuclei', window: { z: 3, y: 21, x: 25 } }, ({ voxels }, count) =>
    Float64Array.from({ length: count }, (_, cell) =>
      [...voxels.subarray(1575 * cell, 1575 * (cell + 1))].reduce((sum, value) => sum + value),
    ),
  );
  const also = { nuclei: arrayVolume(nuclei, size) };
  const { rows } = await gather(() =>
    blocks(arrayVolume(source, size), { size: { z: 1, y: 8, x: 8 }, also }).pipe(
      maxima({ size: 1, threshold: 400 }),
      wide,
      cells(),
    ),
  );
  const sumAround = (c: { z: number; y: number; x: number }) => {
    let sum = 0;
    for (let z = Math.max(0, c.z - 1); z <= Math.min(size.z - 1, c.z + 1); z++)
      for (let y = Math.max(0, c.y - 10); y <= Math.min(size.y - 1, c.y + 10); y++)
        for (let x = Math.max(0, c.x - 12); x <= Math.min(size.x - 1, c.x + 12); x++)
          sum += nuclei[voxel({ z, y, x })] as number;
    return sum;
  };
  t.deepEqual(
    rows,
    centers.map((at) => [at.x, at.y, at.z, sumAround(at)]),
  );
});

/** The error with which a pipeline with this measure ends. */
async function failure(t: ExecutionContext, over: 'windows' | 'voxels', call: MeasureFunction<unknown>) {
  const budget = ample();
  const own =
    over === 'windows'
      ? measure('own', { of: 'source', window: 3 }, call as MeasureFunction<CellWindows>)
      : measure('own', { of: 'source' }, call as MeasureFunction<CellVoxels>);
  const asked = shaped().pipe(own as never) as unknown as ReturnType<typeof shaped>;
  const error = await t.throwsAsync(
    within(10_000, 'the run', lastValueFrom(asked.pipe(cells({ memory: budget, threads: 1 })))),
    { instanceOf: BlockError },
  );
  await clean(t, budget);
  return error as BlockError;
}

for (const over of ['windows', 'voxels'] as const)
  test.serial(`a function that fails ends the run, and the error names measure and region: over ${over}`, async (t) => {
    const thrown = await failure(t, over, () => {
      throw new RangeError('boom');
    });
    t.regex(thrown.message, /^block \[\d+:\d+, \d+:\d+, \d+:\d+\] of .*: measure own: RangeError: boom$/);
    t.true(thrown.cause instanceof StepError);
    const rejected = await failure(t, over, async () => Promise.reject(new Error('later')));
    t.regex(rejected.message, /measure own: Error: later$/);
    const few = await failure(t, over, () => new Float64Array(0));
    t.regex(few.message, /measure own: expected a Float64Array of \d+ values, got Float64Array of 0$/);
    const floats = await failure(t, over, (_, count) => new Float32Array(count) as unknown as Float64Array);
    t.regex(floats.message, /measure own: expected a Float64Array of (\d+) values, got Float32Array of \1$/);
    const nothing = await failure(t, over, () => undefined as unknown as Float64Array);
    t.regex(nothing.message, /measure own: expected a Float64Array of \d+ values, got undefined$/);
  });

for (const over of ['windows', 'voxels'] as const)
  test.serial(
    `a function that never resolves is let go of by unsubscribing, and told by its signal: over ${over}`,
    async (t) => {
      const budget = ample();
      const signals: AbortSignal[] = [];
      const never = (_: unknown, __: number, signal: AbortSignal) => {
        signals.push(signal);
        return new Promise<Float64Array>(() => {});
      };
      const own =
        over === 'windows'
          ? measure('own', { of: 'source', window: 3 }, never)
          : measure('own', { of: 'source' }, never);
      const running = (shaped().pipe(own as never) as unknown as ReturnType<typeof shaped>).pipe(
        cells({ memory: budget }),
      );
      const subscription = running.subscribe({ error: (error) => t.fail(`cancelling is not an error: ${error}`) });
      await until('the function was called', () => signals.length > 0);
      subscription.unsubscribe();
      await within(5000, 'idle()', idle());
      t.true(signals.every(({ aborted }) => aborted));
      t.is(budget.liveBytes, 0);
      t.is(runningJobs(), 0);
    },
  );

test.serial('a cell over many cores, flooded in a file, is measured whole and once', async (t) => {
  const size = { z: 12, y: 40, x: 40 };
  const count = size.z * size.y * size.x;
  const data = new Uint16Array(count).fill(400);
  data[count / 2] = 500;
  const seen: number[] = [];
  const own = measure('own', { of: 'source' }, ({ voxels, positions, offsets, centers }, cellCount) => {
    seen.push(cellCount);
    t.deepEqual([...offsets], [0, count]);
    t.deepEqual([...centers], [size.z / 2, 0, 0]);
    for (let at = 0; at < count; at++) {
      const { z, y, x } = position(at, size);
      if (positions[3 * at] !== z || positions[3 * at + 1] !== y || positions[3 * at + 2] !== x) t.fail(`${at}`);
    }
    return Float64Array.of([...voxels].reduce((sum, value) => sum + value));
  });
  const memory = new Budget({ imageBytes: 2 ** 24, sparseBytes: LEAST_SPARSE_BYTES });
  const { rows } = await gather(() =>
    blocks(arrayVolume(data, size), { size: { z: 4, y: 16, x: 16 } }).pipe(
      maxima({ size: 3, threshold: 450 }),
      shape({ threshold: 300 }),
      own,
      cells({ memory }),
    ),
  );
  t.deepEqual(rows, [[0, 0, size.z / 2, count, 400 * count + 100]]);
  t.deepEqual(seen, [1]);
  t.true(memory.spilledBytes > 0);
});

test('a window that takes more than the memory for images is refused before the first read', async (t) => {
  const volume = volumeOf();
  const wide = measure('wide', { of: 'source', window: 255 }, ones);
  const running = blocks(volume).pipe(maxima(), wide, cells({ memory: '8 MiB' }));
  await t.throwsAsync(lastValueFrom(running), { instanceOf: BudgetError });
  t.deepEqual(volume.regions, []);
});

test('maxima are saved whether they are in a shape or not, by pipelines with and without a table, and by parameters', async (t) => {
  const folder = await tempFolder(t);
  const path = (name: string) => join(folder, `${name}.npy`);
  const noise = drawVolume({ kind: 'noise', size: { z: 6, y: 20, x: 20 }, seed: 4, levels: 60 });
  const found = naive(noise, chain).maxima;
  const expected = new Uint8Array(noise.data.length);
  for (const at of found) expected[at] = 1;
  const values = found.map((at) => noise.data[at] as number).sort((a, b) => a - b);
  const searched = () => blocks(inMemory(noise), { size: core }).pipe(maxima({ size: 3, threshold: 200 }));
  const threshold = values[0] as number;
  t.true(threshold < (values.at(-1) as number), 'all maxima are outside of the mask, or none is');

  const saving = (name: string) => save('maxima', npyVolume(path(name)));
  await lastValueFrom(searched().pipe(shape({ threshold }), saving('table'), cells()));
  await lastValueFrom((searched() as ReturnType<typeof shaped>).pipe(saving('first'), shape({ threshold }), cells()));
  await lastValueFrom(searched().pipe(saving('alone'), run()));
  await lastValueFrom(searched().pipe(saving('one'), saving('two'), cells()));
  await detectCells(inMemory(noise), null, {
    removeBackground: null,
    maxima: { size: 3, threshold: 200, save: path('parameters') },
    shape: { threshold },
    intensity: null,
  });
  for (const name of ['table', 'first', 'alone', 'one', 'two', 'parameters']) {
    t.deepEqual((await readNpy(path(name))).data, expected, name);
  }
  t.deepEqual(await readFile(path('one')), await readFile(path('two')));
});

test('what a user measures may come from a step that was skipped, and from an image made behind the maxima', async (t) => {
  const background = (image: 'dog' | 'background') =>
    measure(image === 'dog' ? 'inDog' : 'inBackground', { of: image, window: 1 }, ({ voxels }) =>
      Float64Array.from(voxels),
    );
  // The background is made behind the search, which so is one in the source.
  const { names, rows } = await gather(() =>
    searched().pipe(
      removeBackground({ size: 3 }),
      background('dog'),
      background('background'),
      intensity({ measure: ['source', 'background'], radius: 0 }),
      cells(),
    ),
  );
  t.deepEqual(names, ['x', 'y', 'z', 'source', 'background', 'inDog', 'inBackground']);
  t.is(rows.length, naive(drawn, { ...chain, shape: null, measure: ['source'] }).cells.length);
  for (const [, , , , inBackground, , same] of rows) t.is(same, inBackground);
});
