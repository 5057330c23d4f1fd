/** What other RxJS operators between the steps, and around them, do to a run. */
import test from 'ava';
import {
  concat,
  connect,
  defer,
  EMPTY,
  filter,
  lastValueFrom,
  map,
  merge,
  type Observable,
  share,
  take,
  tap,
  throwError,
  toArray,
} from 'rxjs';
import {
  type Block,
  blocks,
  type CellBatch,
  cells,
  idle,
  intensity,
  maxima,
  OptionError,
  removeBackground,
  runningJobs,
  shape,
  steps,
} from '../index.js';
import { asked, detect, gather, rowsOf } from './support/detect.js';
import { blockAt } from './support/layouts.js';
import { type Chain, cores, naive, rowsInLayout } from './support/naive.js';
import {
  allBlocks,
  ample,
  chain,
  clean,
  core,
  drawn,
  expected,
  onlyLastIsLast,
  truth,
  volumeOf,
} from './support/stream.js';
import type { Drawn } from './support/volumes.js';
import { settled } from './support/waiting.js';

test('the volume of these tests has components over many cores and cells in many blocks', (t) => {
  t.true(truth.components.some(({ voxels }) => cores(voxels, core, drawn.size).size > 3));
  t.true(new Set(truth.cells.map(({ at }) => blockAt(at, core, drawn.size))).size > 5);
});

test.serial('share gives two runs over one stream of blocks each its own cells', async (t) => {
  const other: Chain = { ...chain, shape: { threshold: 600 }, measure: ['dog'] };
  const budget = ample();
  const pipelines = (source: Observable<Block<'source'>>) => [
    asked(source, chain).pipe(cells({ memory: budget }), toArray()),
    asked(source, other).pipe(cells({ memory: budget }), toArray()),
  ];
  let subscriptions = 0;
  const described = defer(() => {
    subscriptions += 1;
    return blocks(volumeOf(), { size: core });
  });
  const found = await lastValueFrom(
    described.pipe(
      connect((shared) => {
        const [first, second] = pipelines(shared);
        return merge(
          (first as Observable<CellBatch[]>).pipe(map((batches) => ({ which: 0, batches }))),
          (second as Observable<CellBatch[]>).pipe(map((batches) => ({ which: 1, batches }))),
        );
      }),
      toArray(),
    ),
  );
  t.is(subscriptions, 1);
  const rows = (which: number) =>
    found.find((one) => one.which === which)?.batches.flatMap((batch) => rowsOf(batch.cells));
  t.deepEqual(rows(0), expected);
  t.deepEqual(rows(1), rowsInLayout(naive(drawn, other), core, drawn.size));
  await clean(t, budget);

  const shared = blocks(volumeOf(), { size: core }).pipe(share());
  const both = await Promise.all(pipelines(shared).map((pipeline) => lastValueFrom(pipeline)));
  t.deepEqual(
    both[0]?.flatMap((batch) => rowsOf(batch.cells)),
    expected,
  );
  t.deepEqual(
    both[1]?.flatMap((batch) => rowsOf(batch.cells)),
    rows(1),
  );
  await clean(t, budget);
});

test.serial('a pipeline is cold: subscribing twice runs it twice, with the same result', async (t) => {
  const volume = volumeOf();
  const pipeline = asked(blocks(volume, { size: core }), chain).pipe(cells(), toArray());
  t.is(volume.regions.length, 0, 'nothing is read before anyone subscribes');
  const first = await lastValueFrom(pipeline);
  const once = volume.bytesRead;
  const second = await lastValueFrom(pipeline);
  t.is(volume.bytesRead, 2 * once);
  for (const batches of [first, second])
    t.deepEqual(
      batches.flatMap((batch) => rowsOf(batch.cells)),
      expected,
    );
});

test.serial('steps(a, b, c) is the same as a, b and c one after another', async (t) => {
  const threshold = { threshold: 300 };
  const size = { size: { y: 6, x: 6 } };
  const described = blocks(volumeOf(), { size: core });
  const composed = steps(
    removeBackground(size),
    maxima({ size: 3 }),
    shape(threshold),
    intensity({ measure: ['source'] }),
  );
  const apart = described.pipe(
    removeBackground(size),
    maxima({ size: 3 }),
    shape(threshold),
    intensity({ measure: ['source'] }),
  );
  const plans = async (stream: Observable<Block<never>>) => (await lastValueFrom(stream)).plans;
  t.deepEqual(
    await plans(described.pipe(composed) as Observable<Block<never>>),
    await plans(apart as Observable<Block<never>>),
  );
  const one = await gather((progress) => described.pipe(composed, cells({ progress })));
  const other = await gather((progress) => apart.pipe(cells({ progress })));
  t.true(one.rows.length > 0);
  t.deepEqual(one.rows, other.rows);
});

test.serial('an error upstream passes through as it is, and leaves nothing', async (t) => {
  const failure = new Error('upstream is gone');
  for (const after of [0, 1, 9, allBlocks]) {
    const budget = ample();
    const batches: CellBatch[] = [];
    const failing = concat(
      blocks(volumeOf(), { size: core }).pipe(take(after)),
      throwError(() => failure),
    );
    const error = await t.throwsAsync(
      lastValueFrom(
        asked(failing, chain).pipe(
          cells({ memory: budget }),
          tap((batch) => batches.push(batch)),
        ),
      ),
    );
    t.is(error, failure);
    t.false(
      batches.some(({ last }) => last),
      'a run that failed has no last batch',
    );
    await clean(t, budget);
  }
});

test.serial('unsubscribing between steps runs nothing, reads nothing and holds nothing', async (t) => {
  const volume = volumeOf();
  const first = await lastValueFrom(asked(blocks(volume, { size: core }), chain).pipe(take(1)));
  t.is(first.plans.length, 3);
  asked(blocks(volume, { size: core }), chain)
    .subscribe()
    .unsubscribe();
  await idle();
  t.is(volume.regions.length, 0);
  t.is(runningJobs(), 0);
});

test.serial('unsubscribing at once, before anything has come, leaves nothing', async (t) => {
  const budget = ample();
  const volume = volumeOf();
  asked(blocks(volume, { size: core }), chain)
    .pipe(cells({ memory: budget }))
    .subscribe(() => t.fail('a batch came after unsubscribing'))
    .unsubscribe();
  await clean(t, budget);
  const { bytesRead } = volume;
  await settled(() => volume.bytesRead, 30);
  t.is(volume.bytesRead, bytesRead);
});

test.serial('an empty stream still gives one last batch without cells', async (t) => {
  const nothing = asked(EMPTY as Observable<Block<'source'>>, chain);
  const batches = await lastValueFrom(nothing.pipe(cells(), toArray()));
  t.deepEqual(
    batches.map((batch) => ({ last: batch.last, count: batch.cells.count, open: batch.open })),
    [{ last: true, count: 0, open: [] }],
  );

  const volume = volumeOf();
  const found = await detect(volume, chain, { core, arrange: filter(() => false) });
  t.is(found.batches.length, 1);
  onlyLastIsLast(found.batches);
  t.is(found.rows.length, 0);
  t.is(volume.regions.length, 0);
});

test.serial('a volume without cells gives a last batch with the names of its columns', async (t) => {
  const empty: Drawn = { data: new Uint16Array(5 * 6 * 7), size: { z: 5, y: 6, x: 7 } };
  const found = await detect(empty, chain, { core: 3 });
  t.deepEqual(found.rows, []);
  onlyLastIsLast(found.batches);
  t.deepEqual(found.batches.at(-1)?.cells.names, ['x', 'y', 'z', 'size', 'source', 'background']);
});

test.serial(
  'shapes after the intensities that are to measure them are an OptionError, and leave nothing',
  async (t) => {
    const budget = ample();
    const late = blocks(volumeOf(), { size: core }).pipe(maxima(), intensity(), shape(), cells({ memory: budget }));
    const error = await t.throwsAsync(lastValueFrom(late), { instanceOf: OptionError });
    t.regex(error.message, /^shape: its place in the pipeline must be before intensity/);
    await clean(t, budget);
  },
);
