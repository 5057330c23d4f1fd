/** `write` with a sink for each branch. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { concat, concatMap, EMPTY, from, lastValueFrom, NEVER, of, retry, throwError, timer, toArray } from 'rxjs';
import type { CellBatch } from '../../core/batch.js';
import { OptionError, SinkError } from '../../core/errors.js';
import { idle } from '../../core/idle.js';
import { csv } from '../../sinks/csv.js';
import { npyTable } from '../../sinks/npyTable.js';
import type { CellSink } from '../../sinks/sink.js';
import { write } from '../../sinks/write.js';
import { Holds, table } from '../support/batches.js';
import { NotingSink, wait } from '../support/notingSink.js';
import { tempFolder } from '../support/temp.js';

const holds = new Holds();
const batchOf = (branch: string, first: number, last = false): CellBatch =>
  holds.batch(table(first, 1), last, 'test', branch);

test('each branch goes to its own file, in order, with a record of its own, and every batch is passed on', async (t) => {
  const folder = await tempFolder(t);
  const path = (name: string) => join(folder, name);
  const own = new Holds();
  const batches = (['low', 'high', 'low', 'high', 'low'] as const).map((branch, i) => ({
    ...own.batch(table(i, 1), i > 2, 'test', branch),
    record: () => ({ ...own.batch(table(0, 0)).record(), branch }),
  }));
  const found = from(batches).pipe(write({ low: csv(path('low.csv')), high: npyTable(path('high.npy')) }), toArray());
  t.deepEqual(await lastValueFrom(found), batches);
  const low = (await readFile(path('low.csv'), 'utf8')).trimEnd().split('\n').slice(1);
  t.deepEqual(
    low.map((line) => Number.parseInt(line, 10)),
    [0, 2, 4],
  );
  t.true((await readFile(path('high.npy'), 'latin1')).includes("'shape': (2,)"));
  for (const [name, branch, rows] of [
    ['low.csv', 'low', 3],
    ['high.npy', 'high', 2],
  ] as const) {
    const record = JSON.parse(await readFile(`${path(name)}.json`, 'utf8'));
    t.deepEqual([record.branch, record.rows], [branch, rows]);
  }
  t.deepEqual([own.held, own.wrong], [0, 0]);
});

test('a branch without a sink errors the stream with its name and those that have one, and nothing is left', async (t) => {
  const folder = await tempFolder(t);
  const found = of(batchOf('low', 0), batchOf('high', 1)).pipe(
    write({ low: csv(join(folder, 'low.csv')), mid: csv(join(folder, 'mid.csv')) }),
  );
  await t.throwsAsync(lastValueFrom(found), {
    instanceOf: OptionError,
    message: "write: sinks must be there for the branch 'high' too, got 'low, mid'",
  });
  t.deepEqual(await readdir(folder), []);
});

test('one sink for a stream with branches, and branches for a stream without, are refused at the first batch', async (t) => {
  const folder = await tempFolder(t);
  const path = join(folder, 'cells.csv');
  await t.throwsAsync(lastValueFrom(of(batchOf('low', 0)).pipe(write(csv(path)))), {
    instanceOf: OptionError,
    message:
      "write: sink must be an object with a sink for each branch, such as { low: csv('low.csv') }, got 'one sink for all'",
  });
  await t.throwsAsync(lastValueFrom(of(batchOf('', 0)).pipe(write({ low: csv(path) }))), {
    instanceOf: OptionError,
    message: "write: sinks must be a single sink where there are no branches, got 'low'",
  });
  t.deepEqual(await readdir(folder), []);
});

test('what is neither a sink nor an object of different sinks is refused at once', (t) => {
  const sink = csv('cells.csv');
  const wrong: unknown[] = [undefined, null, 'cells.csv', {}, { low: 'low.csv' }, { low: sink, high: sink }];
  for (const given of wrong) {
    t.throws(() => write(given as CellSink), { instanceOf: OptionError, message: /^write: sinks must be / });
  }
  t.notThrows(() => write({ open: sink }), 'a branch may have any name');
});

test('a sink that cannot be opened leaves none open, and the source alone', async (t) => {
  const folder = await tempFolder(t);
  const sinks = { low: csv(join(folder, 'low.csv')), high: csv(join(folder, 'none', 'high.csv')) };
  const error = { instanceOf: SinkError, message: /high\.csv: cannot be created/ };
  await t.throwsAsync(lastValueFrom(of(batchOf('low', 0)).pipe(write(sinks))), error);
  t.deepEqual(await readdir(folder), []);
});

test('retry writes all branches anew', async (t) => {
  const folder = await tempFolder(t);
  let tries = 0;
  const source = concat(
    of(batchOf('low', 0), batchOf('high', 1, true)),
    timer(1).pipe(concatMap(() => (tries++ < 2 ? throwError(() => new Error('once more')) : EMPTY))),
  );
  const sinks = { low: csv(join(folder, 'low.csv')), high: csv(join(folder, 'high.csv')) };
  await lastValueFrom(source.pipe(write(sinks), retry(2)));
  for (const name of ['low.csv', 'high.csv']) {
    t.is((await readFile(join(folder, name), 'utf8')).split('\n').length, 3);
    t.true(existsSync(join(folder, `${name}.json`)));
  }
});

test('however the stream ends, every sink that was opened is closed, or all that are not closed are aborted', async (t) => {
  const reached = { completed: 0, sourceFailed: 0, openFailed: 0, writeFailed: 0, closeFailed: 0, stopped: 0 };
  const names = ['a', 'b', 'c'] as const;
  const drawn = fc.record({
    order: fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 6 }),
    end: fc.constantFrom('complete', 'complete', 'error', 'never'),
    failing: fc.option(
      fc.record({ sink: fc.constantFrom(...names), call: fc.constantFrom('open', 'write 0', 'close') }),
    ),
  });
  await fc.assert(
    fc.asyncProperty(drawn, async ({ order, end, failing }) => {
      const sinks = Object.fromEntries(names.map((name) => [name, new NotingSink(name)]));
      if (failing) (sinks[failing.sink] as NotingSink).failing = failing.call;
      const own = new Holds();
      const batches = order.map((branch, i) => own.batch(table(0, 1), i === order.length - 1, 'test', branch));
      const tail = { complete: EMPTY, error: throwError(() => new Error('broken')), never: NEVER }[end];
      let outcome = 'stopped';
      const subscription = concat(from(batches), tail)
        .pipe(write(sinks))
        .subscribe({
          error: (error: Error) => {
            outcome = error.message;
          },
          complete: () => {
            outcome = 'complete';
          },
        });
      if (end === 'never') await wait(25);
      else for (let i = 0; outcome === 'stopped' && i < 1000; i++) await wait(1);
      subscription.unsubscribe();
      await idle();
      t.deepEqual([own.held, own.wrong], [0, 0]);
      const failed = failing && outcome === `${failing.sink}: ${failing.call} failed`;
      if (failed) reached[`${failing.call.split(' ')[0] as 'open' | 'write' | 'close'}Failed`]++;
      else if (outcome === 'complete') reached.completed++;
      else if (outcome === 'broken') reached.sourceFailed++;
      else reached.stopped++;
      for (const [at, name] of names.entries()) {
        const { calls } = sinks[name] as NotingSink;
        t.false(calls.includes('two calls at a time'));
        const ends = calls.filter((call) => call === 'close' || call === 'abort').join();
        const failedAt = failed ? names.indexOf(failing.sink) : -1;
        if (outcome === 'complete') t.is(ends, 'close');
        else if (failed && failing.call === 'open') {
          t.deepEqual(calls, at < failedAt ? ['open', 'abort'] : at === failedAt ? ['open'] : []);
        } else if (failed && failing.call === 'close') {
          t.is(ends, at < failedAt ? 'close' : at === failedAt ? 'close,abort' : 'abort');
        } else t.is(ends, 'abort');
      }
    }),
    { numRuns: 150 },
  );
  for (const [what, times] of Object.entries(reached)) t.true(times > 0, `no drawn case was ${what}`);
});
