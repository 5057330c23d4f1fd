import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import fc from 'fast-check';
import { lastValueFrom, type Subscription, tap, toArray } from 'rxjs';
import { LEAST_SPARSE_BYTES } from '../core/chainPlan.js';
import {
  arrayVolume,
  BlockError,
  Budget,
  BudgetError,
  blocks,
  type CellBatch,
  type CellsOptions,
  cells,
  idle,
  runningJobs,
  SourceError,
  type Volume,
  type Zyx,
} from '../index.js';
import {
  AMPLE_BYTES,
  asked,
  caseOf,
  chainRecipes,
  delayOf,
  detect,
  type EngineRecipe,
  engineRecipes,
  rowsOf,
} from './support/detect.js';
import { coreFor, coreSizes } from './support/layouts.js';
import { type Chain, naive, rowsInLayout } from './support/naive.js';
import { random, runs } from './support/random.js';
import { RecordingVolume } from './support/recordingVolume.js';
import type { Drawn } from './support/volumes.js';
import { volumeRecipes } from './support/volumes.js';
import { settled, until, within } from './support/waiting.js';

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

const broken = new SourceError('drawn', 'the disk is gone');

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
  const volume = new RecordingVolume(arrayVolume(drawn.data, drawn.size), {
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

/** The least image memory that a run accepts, from the refusal of a run that has none to speak of. */
async function leastImageBytes(
  drawn: Drawn,
  chain: Chain,
  core: Zyx,
  sparseBytes: number,
  options: CellsOptions,
): Promise<number> {
  const memory = new Budget({ imageBytes: 1, sparseBytes });
  const refusal = await detect(drawn, chain, { core, options: { ...options, memory } }).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(refusal instanceof BudgetError)) throw new Error(`a budget of 1 byte was not refused but: ${String(refusal)}`);
  return refusal.neededBytes;
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

/** Noise in which about one voxel in thirty is a cell. */
const busy: Drawn = (() => {
  const size = { z: 32, y: 48, x: 48 };
  const next = random(11);
  return { size, data: Uint16Array.from({ length: size.z * size.y * size.x }, () => 100 + Math.floor(next() * 3000)) };
})();

const busyChain: Chain = {
  removeBackground: null,
  maxima: { size: { z: 3, y: 3, x: 3 }, threshold: 0 },
  shape: { threshold: 2700 },
  measure: ['source', 'background'],
};
const busyCore: Zyx = { z: 2, y: 48, x: 48 };

/** A budget with no more image memory than the busy volume takes, and a sparse share. */
async function tight(sparseBytes: number): Promise<Budget> {
  return new Budget({
    imageBytes: await leastImageBytes(busy, busyChain, busyCore, sparseBytes, { threads: 2 }),
    sparseBytes,
  });
}

/** A volume whose reads take a while, as those of files do, so that a run is not over before its first batch. */
function recorded(drawn: Drawn, watch: () => void = () => {}): RecordingVolume {
  return new RecordingVolume(arrayVolume(drawn.data, drawn.size), { watch, readMs: 8 });
}

test.serial(
  'while a sink is stalled the bytes read stop growing, and once it goes on everything ends as it should',
  async (t) => {
    const budget = await tight(LEAST_SPARSE_BYTES);
    const expected = rowsInLayout(naive(busy, busyChain), busyCore, busy.size);
    const tableBytes = expected.length * (4 * 4 + 2 * 8);
    t.true(tableBytes > 4 * LEAST_SPARSE_BYTES, 'the cells alone are several times the share of sparse data');
    const { bytesRead: bytesOfAll } = (await detect(busy, busyChain, { core: busyCore })).progress;

    let greatest = 0;
    const look = () => {
      greatest = Math.max(greatest, budget.liveBytes);
    };
    const volume = recorded(busy, look);
    const held: (() => void)[] = [];
    let stalled = true;
    const rows: number[][] = [];
    const ended = lastValueFrom(
      asked(blocks(volume, { size: busyCore }), busyChain).pipe(
        cells({ memory: budget, threads: 2, progress: { next: look } }),
        tap((batch) => {
          rows.push(...rowsOf(batch.cells));
          look();
          if (stalled) held.push(batch.hold());
        }),
      ),
    );

    await until('a batch is held', () => held.length > 0);
    const atStall = await settled(() => volume.bytesRead, 300);
    await sleep(700);
    t.is(volume.bytesRead, atStall, 'nothing is read during the rest of the stall');
    t.is(runningJobs(), 0, 'nothing computes during the stall');
    t.true(atStall < bytesOfAll / 2, `${atStall} of ${bytesOfAll} bytes were read, as if nobody held anything`);
    t.true(budget.liveBytes > 0, 'what is held is on the budget');

    stalled = false;
    for (const release of held) release();
    const last = await within(20_000, 'the rest of the run', ended);
    t.true(last.last);
    t.deepEqual(rows, expected);
    await idle();
    t.is(budget.liveBytes, 0);
    t.true(greatest <= budget.totalBytes && budget.peakBytes <= budget.totalBytes);
  },
);

test.serial('a sink that releases each batch a while later gets every cell, in order, within the budget', async (t) => {
  const budget = await tight(LEAST_SPARSE_BYTES);
  const rows: number[][] = [];
  let greatest = 0;
  await lastValueFrom(
    asked(blocks(recorded(busy), { size: busyCore }), busyChain).pipe(
      cells({ memory: budget, threads: 2 }),
      tap((batch) => {
        const release = batch.hold();
        setTimeout(release, 10);
        rows.push(...rowsOf(batch.cells));
        greatest = Math.max(greatest, budget.liveBytes);
      }),
    ),
  );
  t.deepEqual(rows, rowsInLayout(naive(busy, busyChain), busyCore, busy.size));
  await sleep(30);
  await idle();
  t.is(budget.liveBytes, 0);
  t.true(greatest <= budget.totalBytes && budget.peakBytes <= budget.totalBytes);
});

test.serial(
  'unsubscribing while batches are held leaves only what is held, and nothing once that is released',
  async (t) => {
    const budget = await tight(LEAST_SPARSE_BYTES);
    const held: (() => void)[] = [];
    const subscription = asked(blocks(recorded(busy), { size: busyCore }), busyChain)
      .pipe(cells({ memory: budget, threads: 2 }))
      .subscribe((batch) => {
        held.push(batch.hold());
      });
    await until('a batch is held', () => held.length > 0);
    subscription.unsubscribe();
    for (const release of held) release();
    await within(5000, 'idle()', idle());
    t.is(budget.liveBytes, 0);
    t.is(runningJobs(), 0);
  },
);

test.serial(
  'a batch stays on the budget until every hold on it is released, and a second release changes nothing',
  async (t) => {
    const budget = new Budget({ imageBytes: AMPLE_BYTES, sparseBytes: 2 ** 23 });
    const held: { batch: CellBatch; releases: (() => void)[] }[] = [];
    await lastValueFrom(
      asked(blocks(arrayVolume(busy.data, busy.size), { size: { z: 16, y: 48, x: 48 } }), busyChain).pipe(
        cells({ memory: budget }),
        tap((batch) => {
          held.push({ batch, releases: [batch.hold(), batch.hold()] });
        }),
      ),
    );
    const tables = held.reduce((bytes, { batch }) => bytes + batch.cells.bytes, 0);
    t.true(tables > 0);
    t.true(budget.liveBytes >= tables, `${budget.liveBytes} live, ${tables} in tables`);
    const all = budget.liveBytes;
    for (const { releases } of held) releases[0]?.();
    for (const { releases } of held) releases[0]?.();
    t.is(budget.liveBytes, all, 'the second hold still keeps every batch');
    for (const { releases } of held) releases[1]?.();
    await idle();
    t.is(budget.liveBytes, 0);
    for (const { releases } of held) for (const release of releases) release();
    t.is(budget.liveBytes, 0, 'bytes are given back once');
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

/** A volume of any size whose every plane is the same noise. */
function endless(size: Zyx, watch: () => void = () => {}): Volume & { reads: number } {
  const next = random(5);
  const plane = Uint16Array.from({ length: size.y * size.x }, () => 100 + Math.floor(next() * 1000));
  return {
    id: 'endless',
    size,
    dtype: 'uint16',
    reads: 0,
    async read({ start, stop }, into, signal) {
      this.reads += 1;
      watch();
      let to = 0;
      for (let z = start.z; z < stop.z; z++)
        for (let y = start.y; y < stop.y; y++) {
          into.set(plane.subarray(y * size.x + start.x, y * size.x + stop.x), to);
          to += stop.x - start.x;
        }
      signal.throwIfAborted();
    },
  };
}

test.serial('unsubscribing midway stops native work and reads within 500 ms', async (t) => {
  const size = { z: 400, y: 1024, x: 1024 };
  const volume = endless(size);
  const pipeline = asked(blocks(volume, { size: { z: 200, y: 1024, x: 1024 } }), {
    removeBackground: { y: 30, x: 30 },
    maxima: { size: { z: 5, y: 5, x: 5 }, threshold: 0 },
    shape: { threshold: 1050 },
    measure: ['source'],
  }).pipe(cells({ threads: 1, target: 'portable' }));
  let batches = 0;
  let ended = false;
  const subscription = pipeline.subscribe({
    next: () => {
      batches += 1;
    },
    complete: () => {
      ended = true;
    },
  });
  await until('native work has begun', () => volume.reads > 0 && runningJobs() > 0);
  await sleep(50);
  t.false(ended, 'there is work left to stop');
  const start = performance.now();
  subscription.unsubscribe();
  await idle();
  const took = performance.now() - start;
  t.is(runningJobs(), 0);
  t.true(took < 500, `it took ${took} ms`);
  const after = { reads: volume.reads, batches };
  await sleep(100);
  t.deepEqual({ reads: volume.reads, batches }, after, 'nothing is read or delivered afterwards');
});

test.serial('unsubscribing while one large component is flooded stops it within 500 ms', async (t) => {
  const size = { z: 16, y: 1024, x: 1024 };
  const volume = endless(size);
  let ended = false;
  const subscription = asked(blocks(volume, { size }), {
    removeBackground: null,
    maxima: { size: { z: 3, y: 3, x: 3 }, threshold: 0 },
    shape: { threshold: null },
    measure: ['source'],
  })
    .pipe(cells({ threads: 1, memory: 2 ** 31 }))
    .subscribe({
      complete: () => {
        ended = true;
      },
    });
  // All planes are read; what is left is the flood of 16 Mvoxel, about a second of work.
  await until('the planes are read', () => volume.reads > 0);
  await settled(() => volume.reads, 60);
  t.false(ended, 'there is work left to stop');
  t.true(runningJobs() > 0, 'a native job is at work');
  const start = performance.now();
  subscription.unsubscribe();
  await idle();
  const took = performance.now() - start;
  t.true(took < 500, `it took ${took} ms`);
  t.is(runningJobs(), 0);
});

test.serial('idle() waits for a read that cannot stop, because its buffer is still written to', async (t) => {
  const budget = new Budget({ imageBytes: AMPLE_BYTES, sparseBytes: 2 ** 20 });
  const volume = new RecordingVolume(arrayVolume(busy.data, busy.size), { deaf: true, hangFrom: 1 });
  const subscription = asked(blocks(volume, { size: busyCore }), busyChain)
    .pipe(cells({ memory: budget, threads: 2 }))
    .subscribe();
  await until('a read hangs', () => volume.regions.length > 1 && volume.underWay > 0);
  subscription.unsubscribe();
  let resolved = false;
  const quiet = idle().then(() => {
    resolved = true;
  });
  await sleep(100);
  t.false(resolved, 'idle() resolved while a read was under way');
  t.true(budget.liveBytes > 0, 'the buffer of that read is still on the budget');
  volume.letGo();
  await within(5000, 'idle()', quiet);
  t.is(volume.underWay, 0);
  t.is(budget.liveBytes, 0);
});

test.serial('unsubscribing while reads hang aborts them and leaves nothing', async (t) => {
  const budget = new Budget({ imageBytes: AMPLE_BYTES, sparseBytes: 2 ** 20 });
  const volume = new RecordingVolume(arrayVolume(busy.data, busy.size), { hangFrom: 2 });
  const subscription = asked(blocks(volume, { size: busyCore }), busyChain)
    .pipe(cells({ memory: budget, threads: 2 }))
    .subscribe({ error: (error) => t.fail(`cancelling is not an error: ${error}`) });
  await until('a read hangs', () => volume.regions.length > 2 && volume.underWay > 0);
  subscription.unsubscribe();
  await within(2000, 'idle()', idle());
  t.true(volume.stopped > 0);
  t.is(volume.underWay, 0);
  t.is(budget.liveBytes, 0);
});

test.serial('block.voxels() gives its memory back when it is done, fails or is aborted', async (t) => {
  const described = (volume: Volume) => lastValueFrom(blocks(volume, { size: busyCore }).pipe(toArray()));
  const stuck = new RecordingVolume(arrayVolume(busy.data, busy.size), { hangFrom: 0 });
  const stop = new AbortController();
  const pending = (await described(stuck))[1]?.voxels('source', { signal: stop.signal });
  await until('the read hangs', () => stuck.underWay > 0);
  stop.abort(new Error('enough'));
  await t.throwsAsync(pending as Promise<unknown>, { message: /enough/ });
  await within(2000, 'idle()', idle());
  t.is(stuck.underWay, 0);
  t.is(runningJobs(), 0);

  const failing = new RecordingVolume(arrayVolume(busy.data, busy.size), { failure: { read: 0, error: broken } });
  const error = await t.throwsAsync((await described(failing))[1]?.voxels('source') as Promise<unknown>, {
    instanceOf: BlockError,
  });
  t.is((error as BlockError).cause, broken);
  t.deepEqual((error as BlockError).region.start, { z: 2, y: 0, x: 0 });
  await within(2000, 'idle()', idle());
});
