/** What a run may hold at a time, and what it does with no more than that. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import fc from 'fast-check';
import type { Subscription } from 'rxjs';
import { LEAST_SPARSE_BYTES } from '../core/chainPlan.js';
import {
  BlockError,
  Budget,
  BudgetError,
  blocks,
  type CellsOptions,
  cells,
  idle,
  runningJobs,
  type Zyx,
} from '../index.js';
import { broken, busy, busyChain, busyCore, leastImageBytes, recorded } from './support/budgets.js';
import { asked, detect, rowsOf } from './support/detect.js';
import { coreFor, coreSizes } from './support/layouts.js';
import { type Chain, naive, rowsInLayout } from './support/naive.js';
import { runs } from './support/random.js';
import { caseOf, chainRecipes, delayOf, type EngineRecipe, engineRecipes } from './support/recipes.js';
import { RecordingVolume } from './support/recordingVolume.js';
import { type Drawn, inMemory, volumeRecipes } from './support/volumes.js';
import { within } from './support/waiting.js';

/** How a run ends: by itself, by a read that fails, or by its user after so many events, or so many batches. */
type Ending =
  | { readonly how: 'complete' }
  | { readonly how: 'failure'; readonly at: number }
  | { readonly how: 'unsubscribed'; readonly at: number; readonly counting: 'events' | 'batches' };

const endings: fc.Arbitrary<Ending> = fc.oneof(
  { weight: 1, arbitrary: fc.constant({ how: 'complete' as const }) },
  { weight: 1, arbitrary: fc.record({ how: fc.constant('failure' as const), at: fc.nat(20) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      how: fc.constant('unsubscribed' as const),
      at: fc.nat(40),
      counting: fc.constant('events' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      how: fc.constant('unsubscribed' as const),
      at: fc.nat(4),
      counting: fc.constant('batches' as const),
    }),
  },
);

interface Outcome {
  readonly how: 'complete' | 'failure' | 'unsubscribed';
  readonly error?: unknown;
  readonly rows: number[][];
  readonly lasts: number;
  /** The most that the budget was seen to hold at any read, progress or batch. */
  readonly greatestBytes: number;
}

/** Runs a pipeline to the asked ending, looking at the budget whenever anything happens. */
async function run(
  drawn: Drawn,
  chain: Chain,
  core: Zyx,
  budget: Budget,
  engine: Pick<EngineRecipe, 'threads' | 'target' | 'delays'>,
  ending: Ending,
): Promise<Outcome> {
  let greatestBytes = 0;
  const seen = { events: 0, batches: 0 };
  let cut = () => {};
  const happened = (batches = 0) => {
    greatestBytes = Math.max(greatestBytes, budget.liveBytes);
    seen.events += 1;
    seen.batches += batches;
    if (ending.how === 'unsubscribed' && seen[ending.counting] > ending.at) cut();
  };
  const volume = new RecordingVolume(inMemory(drawn), {
    delay: delayOf({ ...engine, sparseBytes: null }),
    watch: () => happened(),
    ...(ending.how === 'failure' ? { failure: { read: ending.at, error: broken } } : {}),
  });
  const options: CellsOptions = {
    memory: budget,
    threads: engine.threads,
    target: engine.target,
    progress: { next: () => happened() },
  };
  const rows: number[][] = [];
  let lasts = 0;
  const end = await new Promise<Pick<Outcome, 'how' | 'error'>>((resolve) => {
    let subscription: Subscription | undefined;
    let cutAlready = false;
    cut = () => {
      cutAlready = true;
      subscription?.unsubscribe();
      if (subscription) resolve({ how: 'unsubscribed' });
    };
    subscription = asked(blocks(volume, { size: core }), chain)
      .pipe(cells(options))
      .subscribe({
        next: (batch) => {
          rows.push(...rowsOf(batch.cells));
          if (batch.last) lasts += 1;
          happened(1);
        },
        error: (error: unknown) => resolve({ how: 'failure', error }),
        complete: () => resolve({ how: 'complete' }),
      });
    // An event within subscribe() itself comes before there is anything to unsubscribe.
    if (cutAlready) cut();
  });
  const readsAtEnd = volume.regions.length;
  await within(20_000, 'idle()', idle());
  happened();
  await sleep(0);
  if (volume.regions.length > readsAtEnd && end.how !== 'complete')
    throw new Error(`${volume.regions.length - readsAtEnd} reads began after the run had ended`);
  if (volume.underWay > 0) throw new Error(`${volume.underWay} reads are under way though idle() has resolved`);
  return { ...end, rows, lasts, greatestBytes };
}

test.serial(
  'live bytes stay within the budget, and none are left after completion, an error or unsubscribing at any moment',
  async (t) => {
    const reached: Record<string, number> = {
      complete: 0,
      failure: 0,
      unsubscribed: 0,
      'cut before the first batch': 0,
      'cut after a batch': 0,
      spilled: 0,
      'no more image memory than needed': 0,
    };
    const count = (what: string) => {
      reached[what] = (reached[what] ?? 0) + 1;
    };
    await t.notThrowsAsync(
      fc.assert(
        fc.asyncProperty(
          volumeRecipes({ most: 20 }),
          chainRecipes(),
          coreSizes(8),
          engineRecipes(),
          endings,
          fc.constantFrom(LEAST_SPARSE_BYTES, 30_000, 2 ** 20),
          fc.constantFrom(1, 1.3, 4),
          async (recipe, chainRecipe, coreSize, engine, ending, sparseBytes, slack) => {
            const { drawn, chain } = caseOf(recipe, chainRecipe);
            const core = coreFor(coreSize, drawn.size, 60);
            const { threads, target } = engine;
            const imageBytes = Math.ceil(
              slack * (await leastImageBytes(drawn, chain, core, sparseBytes, { threads, target })),
            );
            const budget = new Budget({ imageBytes, sparseBytes });
            assert.equal(budget.totalBytes, imageBytes + sparseBytes);

            const outcome = await run(drawn, chain, core, budget, engine, ending);
            assert.ok(
              outcome.greatestBytes <= budget.totalBytes,
              `${outcome.greatestBytes} live, ${budget.totalBytes} allowed`,
            );
            assert.ok(budget.peakBytes <= budget.totalBytes, `peak ${budget.peakBytes}, ${budget.totalBytes} allowed`);
            assert.ok(budget.peakBytes >= outcome.greatestBytes, 'the peak is no less than what was seen');
            assert.equal(budget.liveBytes, 0, `bytes are left after ${outcome.how}`);
            assert.equal(runningJobs(), 0);

            count(outcome.how);
            if (budget.spilledBytes > 0) count('spilled');
            if (slack === 1) count('no more image memory than needed');
            if (outcome.how === 'unsubscribed')
              count(outcome.rows.length > 0 ? 'cut after a batch' : 'cut before the first batch');
            const expected = rowsInLayout(naive(drawn, chain), core, drawn.size);
            if (outcome.how === 'complete') assert.deepEqual([outcome.rows, outcome.lasts], [expected, 1]);
            else
              assert.deepEqual(
                outcome.rows,
                expected.slice(0, outcome.rows.length),
                'what came before the end is right',
              );
            if (outcome.how === 'failure') {
              assert.ok(outcome.error instanceof BlockError, String(outcome.error));
              assert.equal((outcome.error as BlockError).cause, broken);
            }
          },
        ),
        runs(150),
      ),
    );
    for (const [what, times] of Object.entries(reached)) t.true(times > 0, `no drawn case was: ${what}`);
  },
);

/** Pillars through all planes that only the last plane joins: everything is open until the last block. */
const pillars: Drawn = (() => {
  const size = { z: 24, y: 40, x: 40 };
  const data = new Uint16Array(size.z * size.y * size.x).fill(100);
  for (let at = 0; at < data.length; at++) {
    const x = at % size.x;
    const y = Math.floor(at / size.x) % size.y;
    const z = Math.floor(at / (size.x * size.y));
    if ((x % 2 === 0 && y % 2 === 0) || (z === size.z - 1 && y % 2 === 0)) data[at] = 1000 + (z === 0 ? 50 : 0);
  }
  return { data, size };
})();
const pillarChain: Chain = {
  removeBackground: null,
  maxima: { size: { z: 3, y: 1, x: 1 }, threshold: 0 },
  shape: { threshold: 500 },
  measure: ['source'],
};

for (const core of [
  { z: 2, y: 40, x: 40 },
  { z: 4, y: 10, x: 10 },
]) {
  const cut = `${core.z} x ${core.y} x ${core.x}`;
  test.serial(
    `open seams that exceed their share spill, and the run ends with the same cells (cores of ${cut})`,
    async (t) => {
      const sparseBytes = LEAST_SPARSE_BYTES;
      const imageBytes = await leastImageBytes(pillars, pillarChain, core, sparseBytes, { threads: 2 });
      const budget = new Budget({ imageBytes, sparseBytes });
      let greatest = 0;
      const look = () => {
        greatest = Math.max(greatest, budget.liveBytes);
      };
      const found = await within(
        60_000,
        'the run with open seams',
        detect(recorded(pillars, look), pillarChain, { core, options: { memory: budget, threads: 2 } }),
      );
      t.true(budget.spilledBytes > 0);
      t.is(found.progress.spilledBytes, budget.spilledBytes);
      t.true(greatest <= budget.totalBytes && budget.peakBytes <= budget.totalBytes, `peak ${budget.peakBytes}`);
      t.deepEqual(found.rows, rowsInLayout(naive(pillars, pillarChain), core, pillars.size));
      await idle();
      t.is(budget.liveBytes, 0);
    },
  );
}

test.serial('two pipelines that share one budget stay within it together, and both end', async (t) => {
  const imageBytes = Math.ceil(
    1.2 * (await leastImageBytes(busy, busyChain, busyCore, LEAST_SPARSE_BYTES, { threads: 2 })),
  );
  const budget = new Budget({ imageBytes, sparseBytes: LEAST_SPARSE_BYTES });
  const other: Chain = { ...busyChain, shape: { threshold: 2500 }, measure: ['dog'] };
  let greatest = 0;
  const look = () => {
    greatest = Math.max(greatest, budget.liveBytes);
  };
  const [first, second] = await within(
    60_000,
    'two runs on one budget',
    Promise.all([
      detect(recorded(busy, look), busyChain, { core: busyCore, options: { memory: budget, threads: 2 } }),
      detect(recorded(busy, look), other, { core: busyCore, options: { memory: budget, threads: 2 } }),
    ]),
  );
  t.deepEqual(first.rows, rowsInLayout(naive(busy, busyChain), busyCore, busy.size));
  t.deepEqual(second.rows, rowsInLayout(naive(busy, other), busyCore, busy.size));
  t.true(greatest <= budget.totalBytes && budget.peakBytes <= budget.totalBytes);
  await idle();
  t.is(budget.liveBytes, 0);
});

test.serial(
  'a budget in which a block can never fit is refused before the first read, with what is needed and what there is',
  async (t) => {
    const volume = recorded(busy);
    const needed = await leastImageBytes(busy, busyChain, busyCore, LEAST_SPARSE_BYTES, { threads: 2 });
    const memory = new Budget({ imageBytes: needed - 1, sparseBytes: LEAST_SPARSE_BYTES });
    const error = await t.throwsAsync(detect(volume, busyChain, { core: busyCore, options: { memory, threads: 2 } }), {
      instanceOf: BudgetError,
    });
    t.is((error as BudgetError).neededBytes, needed);
    t.is((error as BudgetError).availableBytes, needed - 1);
    t.is(volume.regions.length, 0);
    t.is(memory.liveBytes, 0);
    await t.throwsAsync(detect(volume, busyChain, { core: busyCore, options: { memory: 1000, threads: 2 } }), {
      instanceOf: BudgetError,
    });
    t.is(volume.regions.length, 0);

    const enough = new Budget({ imageBytes: needed, sparseBytes: LEAST_SPARSE_BYTES });
    const { rows } = await detect(volume, busyChain, { core: busyCore, options: { memory: enough, threads: 2 } });
    t.true(rows.length > 0, 'with as much as the refusal asked for, it runs');
  },
);

test.serial(
  'a budget of so many bytes gives half to images and half to sparse data, whatever it is written as',
  (t) => {
    t.is(new Budget(1000).totalBytes, 1000);
    t.is(new Budget({ imageBytes: 300, sparseBytes: 200 }).totalBytes, 500);
    for (const memory of ['lots', '', -1, 0, Number.NaN])
      t.throws(() => cells({ memory }), { name: 'OptionError' }, `memory: ${memory}`);
  },
);
