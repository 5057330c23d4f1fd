import { readdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { concat, lastValueFrom, merge, Subscription } from 'rxjs';
import { LEAST_SPARSE_BYTES } from '../core/chainPlan.js';
import {
  Budget,
  BudgetError,
  blocks,
  branch,
  cells,
  idle,
  liveVolume,
  maxima,
  npyVolume,
  OptionError,
  run,
  type Step,
  save,
  shape,
  steps,
} from '../index.js';
import { asked, detect, gather, tablesOf } from './support/detect.js';
import { ImageInMemory } from './support/imageInMemory.js';
import { labelsOf } from './support/labelTruth.js';
import { type Chain, naive, rowsInLayout } from './support/naive.js';
import { readLabels } from './support/npy.js';
import { whole } from './support/reading.js';
import { RecordingVolume } from './support/recordingVolume.js';
import { clean, drawn as fixed, chain as fixedChain, core as fixedCore, truth, volumeOf } from './support/stream.js';
import { tempFolder } from './support/temp.js';
import { drawVolume, inMemory } from './support/volumes.js';

/** The rows of the fixed volume with labels, in the order of the layout. */
const labelled = rowsInLayout(
  { ...truth, cells: truth.cells.map((cell, rank) => ({ ...cell, row: [...cell.row, rank + 1] })) },
  fixedCore,
  fixed.size,
);
const expectedLabels = labelsOf(truth, fixed.size, whole(fixed.size));

test.serial('planes that are painted in parts have all their rows, also where parts do not divide them', async (t) => {
  const noise = drawVolume({ kind: 'noise', size: { z: 3, y: 64, x: 200 }, seed: 8, levels: 5 });
  const chain: Chain = {
    removeBackground: null,
    ...{ maxima: { size: { z: 1, y: 3, x: 3 }, threshold: 0 }, shape: { threshold: 1600 }, measure: ['source'] },
  };
  const image = new ImageInMemory();
  const memory = new Budget({ imageBytes: 180_000, sparseBytes: 2 ** 20 });
  await detect(noise, chain, {
    core: { z: 4, y: 8, x: 8 },
    options: { memory, threads: 1 },
    saves: { shape: image },
  });
  t.true(image.cutsPlanes, 'whole planes fit');
  const rows = image.regions.map(({ start, stop }) => stop.y - start.y);
  t.true(new Set(rows).size > 1, 'all parts are alike');
  const right = labelsOf(naive(noise, chain), noise.size, whole(noise.size));
  t.is(image.voxels.length, right.length);
  // What a comparison of so many voxels would print is too much for the reporter.
  t.is(
    image.voxels.findIndex((label, at) => label !== right[at]),
    -1,
  );
});

test.serial('batches with labels are those without, with the same promises of what is final', async (t) => {
  const plain = await detect(fixed, fixedChain, { core: fixedCore });
  const late = await detect(fixed, fixedChain, { core: fixedCore, options: { columns: ['label'] } });
  t.deepEqual(late.names, [...plain.names, 'label']);
  t.deepEqual(late.rows, labelled);
  const promises = ({ batches }: typeof plain) =>
    batches.map(({ finalTo, last, cells }) => [finalTo, last, cells.count]);
  t.deepEqual(promises(late), promises(plain));
  t.true(late.batches.length > 3);
});

test.serial('a file of labels is complete when the last batch comes, and with run() alone as well', async (t) => {
  const folder = await tempFolder(t);
  const described = blocks(volumeOf(), { size: fixedCore });
  const saving = (name: string) => asked(described, fixedChain, { shape: npyVolume(join(folder, name)) });
  const names: string[][] = [];
  const batches = saving('cells.npy').pipe(cells());
  await new Promise<void>((resolve, reject) =>
    batches.subscribe({
      next: ({ last }) => {
        if (last) names.push(readdirSync(folder));
      },
      error: reject,
      complete: resolve,
    }),
  );
  await idle();
  t.deepEqual(names, [['cells.npy']]);
  const record = await lastValueFrom(saving('alone.npy').pipe(run({ threads: 2 })));
  t.is(record.counts.cells, truth.cells.length);
  for (const name of ['cells.npy', 'alone.npy']) {
    const { size, data } = await readLabels(join(folder, name));
    t.deepEqual(size, { ...fixed.size });
    t.deepEqual(data, expectedLabels, name);
  }
});

test.serial('each branch has labels and an image of its own, and one sink for several is refused', async (t) => {
  const of = (threshold: number, sink: ImageInMemory) =>
    steps(maxima({ size: 3, threshold: 200 }), shape({ threshold }), save('shape', sink));
  const images = { low: new ImageInMemory(), high: new ImageInMemory() };
  const described = blocks(volumeOf(), { size: fixedCore });
  const both = described.pipe(
    branch({ low: of(300, images.low), high: of(900, images.high) }),
    cells({ columns: ['label'] }),
  );
  const batches = await new Promise<Parameters<typeof tablesOf>[0]>((resolve, reject) => {
    const all: Parameters<typeof tablesOf>[0][number][] = [];
    both.subscribe({ next: (batch) => all.push(batch), error: reject, complete: () => resolve(all) });
  });
  const tables = tablesOf(batches);
  for (const [name, threshold] of [['low', 300] as const, ['high', 900] as const]) {
    const expected = naive(fixed, { ...fixedChain, shape: { threshold }, measure: [] });
    const labels = tables.get(name)?.rows.map((row) => row.at(-1) as number) ?? [];
    t.deepEqual(
      labels.toSorted((a, b) => a - b),
      expected.cells.map((_, rank) => rank + 1),
    );
    t.deepEqual(images[name].voxels, labelsOf(expected, fixed.size, whole(fixed.size)));
  }
  t.true((tables.get('high')?.rows.length ?? 0) > 0);
  const shared = described.pipe(
    branch({
      a: steps(maxima(), shape({ threshold: 300 })),
      b: steps(maxima({ size: 3 }), shape({ threshold: 300 })),
    }),
    save('shape', new ImageInMemory()),
    cells(),
  );
  const error = await t.throwsAsync(lastValueFrom(shared), { instanceOf: OptionError });
  t.is(error.message, "save: the sink of 'shape' must be one of its own in each branch, got 'memory twice'");
});

test.serial('of several volumes each has labels from 1 on, and the column of the volume stays the last', async (t) => {
  const of = (id: string) => blocks(inMemory(fixed, id), { size: fixedCore });
  for (const both of [concat(of('one'), of('two')), merge(of('one'), of('two'))]) {
    const found = await gather((progress) =>
      asked(both, fixedChain).pipe(cells({ columns: ['volume', 'label'], progress })),
    );
    t.deepEqual(found.names.slice(-2), ['label', 'volume']);
    for (const volume of [0, 1]) {
      const rows = found.rows.filter((row) => row.at(-1) === volume).map((row) => row.slice(0, -1));
      t.deepEqual(rows, labelled);
    }
  }
});

test.serial('of a running acquisition the image is as deep as what came', async (t) => {
  const live = liveVolume({ size: { y: fixed.size.y, x: fixed.size.x }, buffer: 64 });
  const image = new ImageInMemory();
  const found = detect(live.volume, fixedChain, {
    core: fixedCore,
    saves: { shape: image },
    options: { columns: ['label'] },
  });
  const pixels = fixed.size.y * fixed.size.x;
  for (let z = 0; z < fixed.size.z; z++)
    await live.write((fixed.data as Uint16Array).slice(z * pixels, (z + 1) * pixels));
  live.end();
  t.deepEqual((await found).rows, labelled);
  t.is(image.state, 'closed');
  t.deepEqual(image.voxels, expectedLabels);
});

test.serial('a run that fails or is cancelled leaves nothing of the labels, and no bytes on the budget', async (t) => {
  const folder = await tempFolder(t);
  const broken = new Error('the disk is gone');
  const ends: Record<string, (memory: Budget, image: ImageInMemory) => Promise<unknown>> = {
    'a read that fails': (memory, shape) =>
      detect(new RecordingVolume(inMemory(fixed), { failure: { read: 9, error: broken } }), fixedChain, {
        core: fixedCore,
        options: { memory, columns: ['label'] },
        saves: { shape },
      }),
    'an image that cannot be written': (memory, shape) => {
      shape.write = async () => {
        throw broken;
      };
      return detect(fixed, fixedChain, { core: fixedCore, options: { memory, columns: ['label'] }, saves: { shape } });
    },
    'unsubscribing at the first batch': async (memory, sink) => {
      const subscription = new Subscription();
      await new Promise<void>((resolve) => {
        subscription.add(
          asked(blocks(volumeOf(), { size: fixedCore }), fixedChain, { shape: sink })
            .pipe(cells({ memory, columns: ['label'] }))
            .subscribe(() => {
              subscription.unsubscribe();
              resolve();
            }),
        );
      });
      throw broken;
    },
  };
  for (const [what, end] of Object.entries(ends)) {
    const memory = new Budget({ imageBytes: 2 ** 24, sparseBytes: LEAST_SPARSE_BYTES });
    const image = new ImageInMemory();
    await t.throwsAsync(end(memory, image), undefined, what);
    await clean(t, memory);
    t.is(image.state, 'aborted', what);
  }
  t.deepEqual(await readdir(folder), []);
});

test.serial('a budget that holds no row of the image is refused before the first read', async (t) => {
  const size = { z: 2, y: 3, x: 60_000 };
  const volume = volumeOf({ data: new Uint16Array(size.z * size.y * size.x), size });
  const chain: Chain = { ...fixedChain, maxima: { size: { z: 1, y: 1, x: 1 }, threshold: 0 } };
  const core = { z: 1, y: 1, x: 50 };
  const memory = new Budget({ imageBytes: 4 * size.x - 1, sparseBytes: LEAST_SPARSE_BYTES });
  const saving = { core, options: { memory }, saves: { shape: new ImageInMemory() } };
  const error = await t.throwsAsync(detect(volume, chain, saving), { instanceOf: BudgetError });
  t.is((error as BudgetError).neededBytes, 4 * size.x);
  t.is(volume.regions.length, 0);
});

test.serial('columns that cannot be are refused, those unknown with the nearest known one', async (t) => {
  const refused: [unknown, RegExp][] = [
    [['lable'], /^cells: columns has no 'lable', did you mean 'label'\?$/],
    [['label', 'box', 'label'], /^cells: columns\[2\] must be named once, got 'label'$/],
    [[3], /^cells: columns\[0\] must be 'volume', 'label', 'centroid', 'box' or 'flags', got 3$/],
    ['label', /^cells: columns must be a list of 'volume'/],
  ];
  for (const [columns, message] of refused) {
    t.throws(() => cells({ columns: columns as never }), { instanceOf: OptionError, message });
  }
  const described = blocks(volumeOf()).pipe(maxima());
  for (const column of ['centroid', 'box', 'flags'] as const) {
    const message = new RegExp(`^cells: columns has '${column}', which is about the voxels of cells`);
    await t.throwsAsync(lastValueFrom(described.pipe(cells({ columns: ['label', column] }))), {
      instanceOf: OptionError,
      message,
    });
  }
  const { rows, names } = await detect(
    fixed,
    { ...fixedChain, shape: null, radius: 1 },
    { options: { columns: ['label'] } },
  );
  t.is(names.at(-1), 'label');
  t.deepEqual(
    rows.map((row) => row.at(-1)),
    rows.map((_, rank) => rank + 1),
  );
  const named = { ...fixed, also: { label: fixed.data } };
  await t.throwsAsync(detect(named, { ...fixedChain, measure: ['label'] }), {
    instanceOf: OptionError,
    message: "intensity: measure must be names that no other column has, got 'label'",
  });
  const misplaced = save('shape', new ImageInMemory()) as unknown as Step<'maxima', never>;
  const early = blocks(volumeOf()).pipe(maxima(), misplaced, cells());
  await t.throwsAsync(lastValueFrom(early), {
    instanceOf: OptionError,
    message: /^save: its place in the pipeline must be after/,
  });
});
