import assert from 'node:assert/strict';
/** What other RxJS operators between the steps, and around them, do to a run. */
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import {
  concat,
  concatMap,
  connect,
  defer,
  EMPTY,
  filter,
  from,
  lastValueFrom,
  map,
  merge,
  mergeMap,
  type Observable,
  of,
  retry,
  Subject,
  share,
  skip,
  take,
  takeUntil,
  tap,
  throwError,
  toArray,
} from 'rxjs';
import {
  arrayVolume,
  type Block,
  Budget,
  blocks,
  type CellBatch,
  cells,
  idle,
  intensity,
  LayoutError,
  liveVolume,
  maxima,
  removeBackground,
  runningJobs,
  SourceError,
  shape,
  steps,
  type Zyx,
} from '../index.js';
import {
  AMPLE_BYTES,
  asked,
  caseOf,
  chainRecipes,
  detect,
  engineRecipes,
  gather,
  optionsFor,
  rowsOf,
  sorted,
} from './support/detect.js';
import { blockAt, blockCount, coreFor, coreSizes } from './support/layouts.js';
import { type Chain, cores, naive, rowsInLayout, type Truth } from './support/naive.js';
import { random, runs, shuffled } from './support/random.js';
import { RecordingVolume } from './support/recordingVolume.js';
import { type Drawn, drawVolume, volumeRecipes } from './support/volumes.js';
import { settled, until, within } from './support/waiting.js';

const chain: Chain = {
  removeBackground: null,
  maxima: { size: { z: 3, y: 3, x: 3 }, threshold: 200 },
  shape: { threshold: 300 },
  measure: ['source', 'background'],
};
const core: Zyx = { z: 4, y: 7, x: 8 };

/** Cells and ridges over many cores. */
const drawn: Drawn = drawVolume({ kind: 'beads', size: { z: 14, y: 20, x: 22 }, seed: 77, levels: 3 });
const truth = naive(drawn, chain);
const expected = rowsInLayout(truth, core, drawn.size);
const allBlocks = blockCount(core, drawn.size);

function volumeOf({ data, size }: Drawn = drawn): RecordingVolume {
  return new RecordingVolume(arrayVolume(data, size));
}

/** The cells of a volume when only some of the cores are there. */
function without(of: Drawn, asked: Chain, cut: Zyx, kept: (index: number) => boolean): Truth {
  return naive(of, asked, (at) => kept(blockAt(at, cut, of.size)));
}

/** Nothing runs and nothing is held any more. */
async function clean(t: ExecutionContext, budget: Budget): Promise<void> {
  await within(10_000, 'idle()', idle());
  t.is(budget.liveBytes, 0);
  t.is(runningJobs(), 0);
}

function ample(): Budget {
  return new Budget({ imageBytes: AMPLE_BYTES, sparseBytes: 2 ** 20 });
}

function onlyLastIsLast(batches: readonly CellBatch[]): void {
  assert.deepEqual(
    batches.map(({ last }) => last),
    batches.map((_, at) => at === batches.length - 1),
    'the last batch comes once, last',
  );
}

test('the volume of these tests has components over many cores and cells in many blocks', (t) => {
  t.true(truth.components.some(({ voxels }) => cores(voxels, core, drawn.size).size > 3));
  t.true(new Set(truth.cells.map(({ at }) => blockAt(at, core, drawn.size))).size > 5);
});

test.serial(
  'a block filtered out counts as outside the mask, while its voxels are still seen by its neighbours',
  async (t) => {
    const reached = { cutComponents: 0, nothingLeft: 0, somethingLeft: 0 };
    await t.notThrowsAsync(
      fc.assert(
        fc.asyncProperty(
          volumeRecipes({ least: 2, most: 18 }),
          chainRecipes(),
          coreSizes(8),
          engineRecipes(),
          fc.nat(1000),
          fc.constantFrom(0.1, 0.5, 0.9),
          async (recipe, chainRecipe, coreSize, engine, seed, share) => {
            const { drawn, chain } = caseOf(recipe, chainRecipe);
            const cut = coreFor(coreSize, drawn.size);
            const next = random(seed);
            const keeps = Array.from({ length: blockCount(cut, drawn.size) }, () => next() < share);
            const kept = (index: number) => keeps[index] === true;
            const options = optionsFor(engine);
            const found = await detect(drawn, chain, {
              core: cut,
              options,
              arrange: filter((block) => kept(block.index)),
            });
            const left = without(drawn, chain, cut, kept);
            assert.deepEqual(found.rows, rowsInLayout(left, cut, drawn.size));
            onlyLastIsLast(found.batches);
            assert.equal(options.memory?.liveBytes ?? 0, 0);
            if (left.components.length === 0) reached.nothingLeft += 1;
            else reached.somethingLeft += 1;
            if (naive(drawn, chain).components.some(({ voxels }) => some(cores(voxels, cut, drawn.size), kept)))
              reached.cutComponents += 1;
          },
        ),
        runs(80),
      ),
    );
    for (const [what, times] of Object.entries(reached)) t.true(times > 0, `no drawn case reached ${what}`);
  },
);

/** Whether some of the cores are kept and some are not. */
function some(touched: Set<number>, kept: (index: number) => boolean): boolean {
  return [...touched].some(kept) && ![...touched].every(kept);
}

test.serial('a filter between steps gives what a filter before them gives', async (t) => {
  const even = filter((block: Block<'source'>) => block.index % 2 === 0);
  const described = blocks(volumeOf(), { size: core });
  const before = await gather((progress) => asked(described.pipe(even), chain).pipe(cells({ progress })));
  const between = await gather((progress) =>
    described.pipe(
      maxima(chain.maxima),
      filter((block) => block.index % 2 === 0),
      shape(chain.shape),
      filter((block) => block.index % 2 === 0),
      intensity({ method: 'max', measure: ['source', 'background'] }),
      cells({ progress }),
    ),
  );
  t.deepEqual(between.rows, before.rows);
  t.deepEqual(
    before.rows,
    rowsInLayout(
      without(drawn, chain, core, (index) => index % 2 === 0),
      core,
      drawn.size,
    ),
  );
});

test.serial('take(n) gives the cells of the first n blocks and reads no others', async (t) => {
  for (const count of [1, 5, allBlocks]) {
    const budget = ample();
    const volume = volumeOf();
    const found = await detect(volume, chain, { core, options: { memory: budget }, arrange: take(count) });
    const left = without(drawn, chain, core, (index) => index < count);
    t.deepEqual(found.rows, rowsInLayout(left, core, drawn.size), `take(${count})`);
    onlyLastIsLast(found.batches);
    t.is(found.progress.blocks, count);
    await clean(t, budget);
  }
});

test.serial('skip(n) and a gap amid the blocks close what was skipped', async (t) => {
  const found = await detect(volumeOf(), chain, { core, arrange: skip(3) });
  t.deepEqual(
    found.rows,
    rowsInLayout(
      without(drawn, chain, core, (index) => index >= 3),
      core,
      drawn.size,
    ),
  );
});

test.serial('takeUntil upstream ends the run with the cells of the blocks that came', async (t) => {
  const stop = new Subject<void>();
  const source = new Subject<Block<'source'>>();
  const all = await lastValueFrom(blocks(volumeOf(), { size: core }).pipe(toArray()));
  const budget = ample();
  const found = gather((progress) =>
    asked(source.pipe(takeUntil(stop)), chain).pipe(cells({ memory: budget, progress })),
  );
  for (const block of all.slice(0, 4)) source.next(block);
  stop.next();
  t.deepEqual(
    (await within(10_000, 'the run', found)).rows,
    rowsInLayout(
      without(drawn, chain, core, (index) => index < 4),
      core,
      drawn.size,
    ),
  );
  t.false(source.observed);
  await clean(t, budget);
});

test.serial('takeUntil and take downstream stop the run and leave nothing', async (t) => {
  for (const count of [1, 2, 5]) {
    const budget = ample();
    const volume = volumeOf();
    const batches = await lastValueFrom(
      asked(blocks(volume, { size: core }), chain).pipe(cells({ memory: budget }), take(count), toArray()),
    );
    t.is(batches.length, count);
    const rows = batches.flatMap((batch) => rowsOf(batch.cells));
    t.deepEqual(rows, expected.slice(0, rows.length));
    await clean(t, budget);
    const { bytesRead } = volume;
    await settled(() => volume.bytesRead, 30);
    t.is(volume.bytesRead, bytesRead, 'nothing is read afterwards');
  }
});

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
  const described = blocks(volumeOf(), { size: core });
  const streams = {
    'another option': concat(asked(described, chain), asked(described, { ...chain, shape: { threshold: 301 } })),
    'a step more': concat(asked(described, chain), asked(described, { ...chain, removeBackground: { y: 5, x: 5 } })),
    'another layout': concat(asked(described, chain), asked(blocks(volumeOf(), { size: 5 }), chain)),
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
  'finalTo never falls, all cells of closed components below it are out, and the open ones are listed',
  async (t) => {
    const reached = { open: 0, between: 0, beforeTheEnd: 0 };
    await t.notThrowsAsync(
      fc.assert(
        fc.asyncProperty(
          volumeRecipes({ kinds: ['blobs', 'boxes', 'comb', 'beads', 'speckle', 'serpentine'], least: 3, most: 18 }),
          chainRecipes(),
          coreSizes(6),
          engineRecipes(),
          async (recipe, chainRecipe, coreSize, engine) => {
            const { drawn, chain } = caseOf(recipe, chainRecipe);
            const { size } = drawn;
            const cut = coreFor(coreSize, size);
            const found = await detect(drawn, chain, { core: cut, options: optionsFor(engine) });
            const whole = naive(drawn, chain);
            const order = rowsInLayout(whole, cut, size).map((row) => key(row));
            const cellOf = new Map(whole.cells.map((cell) => [key(cell.row), cell]));
            onlyLastIsLast(found.batches);

            let out = 0;
            let below = 0;
            for (const batch of found.batches) {
              out += batch.cells.count;
              assert.ok(batch.finalTo >= below, 'finalTo never falls');
              below = batch.finalTo;
              for (const later of order.slice(out)) {
                const cell = cellOf.get(later) as Truth['cells'][number];
                if (cell.at.z >= batch.finalTo) continue;
                const { box, voxels } = whole.components[cell.component] as Truth['components'][number];
                const listed = batch.open.some(
                  (open) => inside(open.box, box) && open.voxels > 0 && open.voxels <= voxels.length,
                );
                assert.ok(
                  listed,
                  `a cell at z ${cell.at.z} is not out, finalTo is ${batch.finalTo}, and no open component holds it`,
                );
                reached.open += 1;
              }
              for (const { box, voxels } of batch.open)
                assert.ok(
                  whole.components.some((one) => inside(box, one.box) && voxels <= one.voxels.length),
                  'an open component is a part of a real one',
                );
              if (batch.finalTo > 0 && batch.finalTo < size.z) reached.between += 1;
              if (!batch.last && batch.cells.count > 0) reached.beforeTheEnd += 1;
            }
            assert.equal(below, size.z, 'in the end everything is final');
            assert.deepEqual(found.batches.at(-1)?.open, [], 'in the end nothing is open');
          },
        ),
        runs(80),
      ),
    );
    for (const [what, times] of Object.entries(reached)) t.true(times > 0, `no drawn case reached ${what}`);
  },
);

function key(row: readonly number[]): string {
  return row.slice(0, 3).join(' ');
}

function inside(inner: CellBatch['open'][number]['box'], outer: CellBatch['open'][number]['box']): boolean {
  return (['z', 'y', 'x'] as const).every(
    (axis) => outer.start[axis] <= inner.start[axis] && inner.stop[axis] <= outer.stop[axis],
  );
}

test.serial(
  'finalTo follows the slabs while one component stays open through all of them, listed as it grows',
  async (t) => {
    const size = { z: 24, y: 10, x: 10 };
    const data = new Uint16Array(size.z * size.y * size.x).fill(100);
    const at = (z: number, y: number, x: number) => (z * size.y + y) * size.x + x;
    for (let z = 0; z < size.z; z++) data[at(z, 8, 8)] = 900;
    for (let z = 1; z < size.z; z += 4) data[at(z, 2, 2)] = 1000;
    const found = await detect({ data, size }, chain, { core: { z: 4, y: 10, x: 10 } });
    onlyLastIsLast(found.batches);
    const before = found.batches.filter(({ finalTo, cells }) => finalTo < size.z && cells.count > 0);
    t.deepEqual(
      before.map(({ finalTo, cells }) => ({ finalTo, z: cells.row(0).z })),
      [4, 8, 12, 16, 20].map((finalTo) => ({ finalTo, z: finalTo - 3 })),
    );
    let known = 0;
    for (const { finalTo, open } of before) {
      t.is(open.length, 1, `the column of voxels is open when all is final to ${finalTo}`);
      const [{ box, voxels }] = open as [CellBatch['open'][number]];
      t.deepEqual(box, { start: { z: 0, y: 8, x: 8 }, stop: { z: voxels, y: 9, x: 9 } });
      t.true(voxels >= finalTo && voxels >= known && voxels <= size.z);
      known = voxels;
    }
  },
);

/** Writes planes one by one, each when there is room for it. */
async function writePlanes(
  live: ReturnType<typeof liveVolume>,
  { data, size }: Drawn,
  to = size.z,
  first = 0,
): Promise<void> {
  const pixels = size.y * size.x;
  for (let z = first; z < to; z++) await live.write(data.slice(z * pixels, (z + 1) * pixels));
}

/** The first planes of a volume. */
function top({ data, size }: Drawn, planes: number): Drawn {
  return { data: data.slice(0, planes * size.y * size.x), size: { ...size, z: planes } };
}

const slab = 4;
const liveCore: Zyx = { z: slab, y: drawn.size.y, x: drawn.size.x };
const extent = { y: drawn.size.y, x: drawn.size.x };

for (const planes of [undefined, drawn.size.z]) {
  const known = planes === undefined ? 'unknown' : 'known';
  test.serial(
    `a live volume of ${known} depth gives the cells of its planes, also where the last slab is short`,
    async (t) => {
      for (const depth of planes === undefined ? [1, 3, 4, 5, 8, 13, 14] : [planes]) {
        const budget = ample();
        const live = liveVolume({ size: extent, buffer: 12, ...(planes === undefined ? {} : { planes }) });
        const found = detect(live.volume, chain, { core: liveCore, options: { memory: budget } });
        await within(10_000, 'writing the planes', writePlanes(live, drawn, depth));
        live.end();
        const { rows, batches, progress } = await within(10_000, 'the run', found);
        const seen = top(drawn, depth);
        t.deepEqual(rows, rowsInLayout(naive(seen, chain), liveCore, seen.size), `${depth} planes`);
        onlyLastIsLast(batches);
        t.is(batches.at(-1)?.finalTo, depth);
        t.is(progress.blocks, Math.ceil(depth / slab));
        await clean(t, budget);
      }
    },
  );
}

test.serial(
  'a live volume that ends with fewer planes than it promised ends the run with an error, and leaves nothing',
  async (t) => {
    for (const depth of [0, 5, 13]) {
      const budget = ample();
      const live = liveVolume({ size: extent, buffer: 12, planes: 14 });
      const batches: CellBatch[] = [];
      const outcome = t.throwsAsync(
        lastValueFrom(
          asked(blocks(live.volume, { size: liveCore }), chain).pipe(
            cells({ memory: budget }),
            tap((batch) => batches.push(batch)),
          ),
        ),
      );
      await within(10_000, 'writing the planes', writePlanes(live, drawn, depth));
      live.end();
      const error = await within(10_000, 'the run', outcome);
      t.true(
        causes(error).some((cause) => cause instanceof SourceError),
        String(error),
      );
      t.false(batches.some(({ last }) => last));
      await clean(t, budget);
    }
  },
);

test.serial('a live volume that ends before its first plane gives one last batch', async (t) => {
  const live = liveVolume({ size: extent, buffer: 12 });
  const found = detect(live.volume, chain, { core: liveCore });
  live.end();
  const { rows, batches } = await within(10_000, 'the run', found);
  t.deepEqual(rows, []);
  onlyLastIsLast(batches);
});

test.serial('blocks of a live volume come as its planes do', async (t) => {
  const live = liveVolume({ size: extent, buffer: 12 });
  const seen: number[] = [];
  let complete = false;
  blocks(live.volume, { size: liveCore }).subscribe({
    next: ({ core }) => seen.push(core.stop.z),
    complete: () => {
      complete = true;
    },
  });
  t.deepEqual(seen, []);
  await writePlanes(live, drawn, slab);
  await until('the first block is there', () => seen.length === 1);
  t.false(complete);
  await writePlanes(live, drawn, slab + 2, slab);
  await settled(() => seen.length, 20);
  t.deepEqual(seen, [slab]);
  live.end();
  await until('the stream completes', () => complete);
  t.deepEqual(seen, [slab, slab + 2]);
});

test.serial('cells of a live volume are out before its last plane is written', async (t) => {
  const spots = drawVolume({ kind: 'speckle', size: drawn.size, seed: 5, levels: 2 });
  const whole = naive(spots, chain);
  const live = liveVolume({ size: extent, buffer: 12 });
  const rows: number[][] = [];
  const done = lastValueFrom(
    asked(blocks(live.volume, { size: liveCore }), chain).pipe(
      cells(),
      tap((batch) => rows.push(...rowsOf(batch.cells))),
    ),
  );
  await writePlanes(live, spots, 3 * slab);
  // What lies in the first slab is certain once the planes that its windows reach have come.
  const early = whole.cells.filter(({ component }) => (whole.components[component]?.box.stop.z ?? 0) <= slab);
  t.true(early.length > 0);
  await until('the cells of the first slab are out', () => rows.length >= early.length);
  await writePlanes(live, spots, spots.size.z, 3 * slab);
  live.end();
  await done;
  t.deepEqual(rows, rowsInLayout(whole, liveCore, spots.size));
});

test.serial('the producer of a live volume waits while the chain is behind', async (t) => {
  const live = liveVolume({ size: extent, buffer: 8 });
  let written = 0;
  const producing = (async () => {
    for (let z = 0; z < drawn.size.z; z++) {
      await writePlanes(live, drawn, z + 1, z);
      written += 1;
    }
    live.end();
  })();
  const waiting = await settled(() => written, 50);
  t.is(waiting, 8, 'as many planes are taken as are kept');
  const small: Zyx = { ...liveCore, z: 2 };
  const { rows } = await within(10_000, 'the run', detect(live.volume, chain, { core: small }));
  await producing;
  t.deepEqual(rows, rowsInLayout(naive(drawn, chain), small, drawn.size));
});

test.serial('a live volume that fails ends the run with its error, and leaves nothing', async (t) => {
  for (const planes of [0, 2, 9]) {
    const budget = ample();
    const live = liveVolume({ size: extent, buffer: 12 });
    const failure = new Error('the camera was unplugged');
    const found = detect(live.volume, chain, { core: liveCore, options: { memory: budget } });
    const outcome = t.throwsAsync(within(10_000, 'the run', found));
    await writePlanes(live, drawn, planes);
    live.fail(failure);
    const error = (await outcome) as Error;
    t.true(causes(error).includes(failure), `the cause of ${error} is what was said`);
    await clean(t, budget);
  }
});

/** An error and what it says caused it. */
function causes(error: unknown): unknown[] {
  return error instanceof Error ? [error, ...causes(error.cause)] : [];
}

test.serial('unsubscribing from a live run that waits for planes leaves nothing', async (t) => {
  const budget = ample();
  const live = liveVolume({ size: extent, buffer: 12 });
  const subscription = asked(blocks(live.volume, { size: liveCore }), chain)
    .pipe(cells({ memory: budget }))
    .subscribe();
  await writePlanes(live, drawn, 5);
  subscription.unsubscribe();
  await clean(t, budget);
});

test.serial('take on the blocks of a live volume gives the cells of the slabs taken', async (t) => {
  const live = liveVolume({ size: extent, buffer: drawn.size.z });
  const found = detect(live.volume, chain, { core: liveCore, arrange: take(2) });
  await writePlanes(live, drawn);
  live.end();
  const { rows } = await within(10_000, 'the run', found);
  t.deepEqual(
    rows,
    rowsInLayout(
      without(drawn, chain, liveCore, (index) => index < 2),
      liveCore,
      drawn.size,
    ),
  );
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
