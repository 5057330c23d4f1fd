/** Blocks that are left out: filters, gaps, and streams that are cut short. */
import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { concatMap, filter, lastValueFrom, map, Subject, skip, take, takeUntil, timer, toArray } from 'rxjs';
import { type Block, blocks, cells, intensity, maxima, shape } from '../index.js';
import { asked, detect, gather, rowsOf } from './support/detect.js';
import { blockCount, coreFor, coreSizes } from './support/layouts.js';
import { cores, naive, rowsInLayout } from './support/naive.js';
import { random, runs } from './support/random.js';
import { caseOf, chainRecipes, engineRecipes, optionsFor } from './support/recipes.js';
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
  without,
} from './support/stream.js';
import { volumeRecipes } from './support/volumes.js';
import { settled, within } from './support/waiting.js';

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

test.serial('a block that is left out after its neighbours ended closes what waited for it', async (t) => {
  // Every block comes when the one before has long ended, as those of a running acquisition do.
  const slowly = concatMap((block: Block<'source'>) => timer(4).pipe(map(() => block)));
  // Both are in the middle of a component, whose other parts wait for them.
  const kept = (index: number) => index !== 11 && index !== 24;
  const most = filter((block: Block<'source'>) => kept(block.index));
  const found = await detect(volumeOf(), chain, { core, arrange: (stream) => stream.pipe(slowly, most) });
  for (const left of [11, 24])
    t.true(truth.components.some(({ voxels }) => some(cores(voxels, core, drawn.size), (index) => index !== left)));
  t.deepEqual(found.rows, rowsInLayout(without(drawn, chain, core, kept), core, drawn.size));
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
