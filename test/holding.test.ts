/** Sinks that hold batches, and what the run does meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { lastValueFrom, tap } from 'rxjs';
import { LEAST_SPARSE_BYTES } from '../core/chainPlan.js';
import { Budget, blocks, type CellBatch, cells, idle, runningJobs } from '../index.js';
import { busy, busyChain, busyCore, recorded, tight } from './support/budgets.js';
import { asked, detect, rowsOf } from './support/detect.js';
import { naive, rowsInLayout } from './support/naive.js';
import { AMPLE_BYTES } from './support/recipes.js';
import { inMemory } from './support/volumes.js';
import { settled, until, within } from './support/waiting.js';

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
      asked(blocks(inMemory(busy), { size: { z: 16, y: 48, x: 48 } }), busyChain).pipe(
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
