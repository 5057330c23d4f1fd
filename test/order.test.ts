/** Blocks that come again or in another order, and the order of what comes out. */
import test from 'ava';
import {
  concat,
  concatMap,
  defer,
  filter,
  from,
  lastValueFrom,
  merge,
  mergeMap,
  type Observable,
  of,
  retry,
  skip,
  take,
  throwError,
  toArray,
} from 'rxjs';
import { arrayVolume, type Block, blocks, cells, LayoutError } from '../index.js';
import { asked, detect, gather, rowsOf, sorted } from './support/detect.js';
import { cores, rowsInLayout, type Truth } from './support/naive.js';
import { random, shuffled } from './support/random.js';
import { RecordingVolume } from './support/recordingVolume.js';
import {
  allBlocks,
  ample,
  chain,
  clean,
  core,
  drawn,
  expected,
  key,
  onlyLastIsLast,
  truth,
  volumeOf,
  without,
} from './support/stream.js';

for (const [where, again] of [
  ['before the steps', (source: Observable<Block<'source'>>) => asked(source.pipe(retry(2)), chain)],
  ['after the steps', (source: Observable<Block<'source'>>) => asked(source, chain).pipe(retry(2))],
] as const) {
  test.serial(`retry ${where} repeats blocks, and nothing is read, found or counted twice`, async (t) => {
    for (const fails of [0, 1, 7, allBlocks]) {
      const budget = ample();
      const volume = volumeOf();
      let attempt = 0;
      const flaky = defer(() => {
        attempt += 1;
        const described = blocks(volume, { size: core });
        return attempt === 1
          ? concat(
              described.pipe(take(fails)),
              throwError(() => new Error('lost')),
            )
          : described;
      });
      const found = await gather((progress) => again(flaky).pipe(cells({ memory: budget, progress })));
      t.is(attempt, 2);
      t.deepEqual(found.rows, expected, `after ${fails} blocks`);
      onlyLastIsLast(found.batches);
      t.is(found.progress.blocks, allBlocks);
      const once = volumeOf();
      await detect(once, chain, { core });
      t.is(volume.bytesRead, once.bytesRead);
      await clean(t, budget);
    }
  });
}

test.serial('a repeat that was built anew with equal options is ignored too', async (t) => {
  const described = blocks(volumeOf(), { size: core });
  const twice = concat(asked(described, chain), asked(described, { ...chain, maxima: { ...chain.maxima } }));
  const found = await gather((progress) => twice.pipe(cells({ progress })));
  t.deepEqual(found.rows, expected);
});

test.serial('a repeat with other steps or another layout is a LayoutError, and leaves nothing', async (t) => {
  const volume = volumeOf();
  const described = blocks(volume, { size: core });
  const streams = {
    'another option': concat(asked(described, chain), asked(described, { ...chain, shape: { threshold: 301 } })),
    'a step more': concat(asked(described, chain), asked(described, { ...chain, removeBackground: { y: 5, x: 5 } })),
    'another layout': concat(asked(described, chain), asked(blocks(volume, { size: 5 }), chain)),
    'other steps on a later block': asked(described, chain).pipe(
      concatMap((block) =>
        block.index === 3 ? asked(described.pipe(skip(3), take(1)), { ...chain, shape: { threshold: 5 } }) : of(block),
      ),
    ),
  };
  for (const [what, stream] of Object.entries(streams)) {
    const budget = ample();
    await t.throwsAsync(lastValueFrom(stream.pipe(cells({ memory: budget }))), { instanceOf: LayoutError }, what);
    await clean(t, budget);
  }
});

test.serial('shuffled blocks give the same cells with order any', async (t) => {
  for (const seed of [1, 2, 3, 4]) {
    const found = await detect(volumeOf(), chain, {
      core,
      options: { order: 'any' },
      arrange: (all) =>
        all.pipe(
          toArray(),
          mergeMap((list) => from(shuffled(list, seed))),
        ),
    });
    t.deepEqual(sorted(found.rows), sorted(expected));
    onlyLastIsLast(found.batches);
  }
});

test.serial('merged parts of one stream give the same cells with order any', async (t) => {
  const described = blocks(volumeOf(), { size: core });
  const parts = [2, 0, 1].map((rest) => described.pipe(filter((block) => block.index % 3 === rest)));
  const found = await gather((progress) => asked(merge(...parts), chain).pipe(cells({ order: 'any', progress })));
  t.deepEqual(sorted(found.rows), sorted(expected));
});

test.serial('blocks left out with order any count as outside the mask once the stream ends', async (t) => {
  const kept = (index: number) => index % 4 !== 1;
  const found = await detect(volumeOf(), chain, {
    core,
    options: { order: 'any' },
    arrange: (all) =>
      all.pipe(
        filter((block) => kept(block.index)),
        toArray(),
        mergeMap((list) => from(shuffled(list, 9))),
      ),
  });
  t.deepEqual(sorted(found.rows), sorted(rowsInLayout(without(drawn, chain, core, kept), core, drawn.size)));
});

test.serial('a block that comes after a higher one is a LayoutError unless the order may be any', async (t) => {
  const budget = ample();
  const swapped = (all: Observable<Block<'source'>>) =>
    all.pipe(
      toArray(),
      mergeMap((list) => from([list[1], list[0], ...list.slice(2)] as Block<'source'>[])),
    );
  await t.throwsAsync(detect(volumeOf(), chain, { core, options: { memory: budget }, arrange: swapped }), {
    instanceOf: LayoutError,
  });
  await clean(t, budget);
});

test.serial('batches come in block order however the reads end, each core once', async (t) => {
  const next = random(3);
  const volume = new RecordingVolume(arrayVolume(drawn.data, drawn.size), { delay: () => Math.floor(next() * 20) });
  const found = await detect(volume, chain, { core, options: { threads: 4 } });
  const lastBlock = new Map(
    truth.cells.map((cell) => {
      const { voxels } = truth.components[cell.component] as Truth['components'][number];
      return [key(cell.row), Math.max(...cores(voxels, core, drawn.size))];
    }),
  );
  const order = found.rows.map((row) => lastBlock.get(key(row)) as number);
  t.deepEqual(
    order,
    [...order].sort((a, b) => a - b),
  );
  t.is(new Set(found.rows.map(key)).size, found.rows.length);
  for (const batch of found.batches) {
    const rows = rowsOf(batch.cells);
    t.deepEqual(rows, sorted(rows), 'a batch is in z, y, x order');
  }
  t.deepEqual(found.rows, expected);
});
