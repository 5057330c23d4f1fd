import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import {
  concat,
  concatMap,
  defer,
  EMPTY,
  firstValueFrom,
  from,
  lastValueFrom,
  NEVER,
  Observable,
  of,
  retry,
  Subject,
  tap,
  throwError,
  timer,
  toArray,
} from 'rxjs';
import type { CellBatch } from '../../core/batch.js';
import { CellTable } from '../../core/cellTable.js';
import { SinkError } from '../../core/errors.js';
import { idle } from '../../core/idle.js';
import { paced } from '../../core/paced.js';
import { csv } from '../../sinks/csv.js';
import { write } from '../../sinks/write.js';
import { Holds, names, table } from '../support/batches.js';
import { NotingSink, wait } from '../support/notingSink.js';
import { tempFolder } from '../support/temp.js';

test('a file is complete, under its name, when the last batch comes and when the stream completes', async (t) => {
  const path = join(await tempFolder(t), 'cells.csv');
  const holds = new Holds();
  const batches = [holds.batch(table(0, 2)), holds.batch(table(2, 1)), holds.batch(table(3, 1), true)];
  const seen: boolean[] = [];
  const last = await lastValueFrom(
    from(batches).pipe(
      write(csv(path)),
      tap(() => seen.push(existsSync(path))),
    ),
  );
  t.is(last, batches[2] as CellBatch);
  t.deepEqual(seen, [false, false, true]);
  t.is((await readFile(path, 'utf8')).split('\n').length, 6);
  t.deepEqual([holds.held, holds.wrong], [0, 0]);
});

test('a stream whose only batch has no cells leaves a file with a header', async (t) => {
  const path = join(await tempFolder(t), 'cells.csv');
  await lastValueFrom(of(new Holds().batch(CellTable.empty(names), true)).pipe(write(csv(path))));
  t.is(await readFile(path, 'utf8'), 'x,y,z,size,source\n');
});

test('merged streams with a last batch each go into one file', async (t) => {
  const path = join(await tempFolder(t), 'cells.csv');
  const holds = new Holds();
  const batches = [
    holds.batch(table(0, 1), true, 'a'),
    holds.batch(table(1, 1), false, 'b'),
    holds.batch(table(2, 1), true, 'b'),
  ];
  t.deepEqual(await lastValueFrom(from(batches).pipe(write(csv(path)), toArray())), batches);
  t.is((await readFile(path, 'utf8')).split('\n').length, 5);
  t.is(holds.held, 0);
});

test('sinks chain: each writes everything, and a batch is held until the last has it', async (t) => {
  const folder = await tempFolder(t);
  const holds = new Holds();
  const batches = Array.from({ length: 20 }, (_, i) => holds.batch(table(i, 1), i === 19));
  const slow = paced(async () => void (await wait(1)));
  const chain = from(batches).pipe(write(csv(join(folder, 'a'))), slow, write(csv(join(folder, 'b'))), toArray());
  t.deepEqual(await lastValueFrom(chain), batches);
  t.is(await readFile(join(folder, 'a'), 'utf8'), await readFile(join(folder, 'b'), 'utf8'));
  t.deepEqual([holds.held, holds.wrong], [0, 0]);
});

test('a batch is held from its arrival until it was written and the next in line has had it', async (t) => {
  const sink = new NotingSink();
  const holds = new Holds();
  const source = new Subject<CellBatch>();
  const heldThen: number[] = [];
  let open = () => {};
  const done = lastValueFrom(
    source.pipe(
      write(sink),
      tap(() => heldThen.push(holds.held)),
      toArray(),
    ),
  );
  while (!source.observed) await wait(1);
  sink.gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  source.next(holds.batch(table(0, 1)));
  source.next(holds.batch(table(1, 1)));
  t.is(holds.held, 2);
  await wait(20);
  t.deepEqual([holds.held, heldThen.length], [2, 0]);
  open();
  source.complete();
  t.is((await done).length, 2);
  t.deepEqual(heldThen, [2, 1]);
  t.is(holds.held, 0);
});

test('the sink is opened before the source is subscribed to, and a sink that cannot be leaves the source alone', async (t) => {
  const missing = join(await tempFolder(t), 'none', 'cells.csv');
  let subscribed = 0;
  const source = defer(() => {
    subscribed++;
    return EMPTY;
  });
  await t.throwsAsync(lastValueFrom(source.pipe(write(csv(missing)))), { instanceOf: SinkError });
  t.is(subscribed, 0);
});

test('an error of the source comes through, with nothing left in the folder', async (t) => {
  const folder = await tempFolder(t);
  const holds = new Holds();
  const source = concat(
    of(holds.batch(table(0, 5))),
    timer(10).pipe(concatMap(() => throwError(() => new Error('broken')))),
  );
  await t.throwsAsync(lastValueFrom(source.pipe(write(csv(join(folder, 'cells.csv'))))), { message: 'broken' });
  t.deepEqual(await readdir(folder), []);
  t.is(holds.held, 0);
});

test('unsubscribing leaves nothing in the folder and nothing held', async (t) => {
  const folder = await tempFolder(t);
  const holds = new Holds();
  const source = concat(from([0, 1, 2].map((i) => holds.batch(table(i, 5)))), NEVER);
  await firstValueFrom(source.pipe(write(csv(join(folder, 'cells.csv')))));
  await idle();
  t.deepEqual(await readdir(folder), []);
  t.deepEqual([holds.held, holds.wrong], [0, 0]);
});

test('retry writes the file anew', async (t) => {
  const path = join(await tempFolder(t), 'cells.csv');
  const holds = new Holds();
  let tries = 0;
  const source = defer(() => {
    const first = of(holds.batch(table(0, 1)), holds.batch(table(1, 1), true));
    return tries++ < 2
      ? concat(
          first,
          throwError(() => new Error('once more')),
        )
      : first;
  });
  await lastValueFrom(source.pipe(write(csv(path)), retry(2)));
  t.is((await readFile(path, 'utf8')).split('\n').length, 4);
  t.is(holds.held, 0);
});

test('two streams into one sink at a time are refused, and the first is not harmed', async (t) => {
  const path = join(await tempFolder(t), 'cells.csv');
  const holds = new Holds();
  const sink = csv(path);
  const source = new Subject<CellBatch>();
  const first = lastValueFrom(source.pipe(write(sink)));
  while (!source.observed) await wait(1);
  await t.throwsAsync(lastValueFrom(of(holds.batch(table(7, 1), true)).pipe(write(sink))), { instanceOf: SinkError });
  source.next(holds.batch(table(0, 1), true));
  source.complete();
  await first;
  t.is(await readFile(path, 'utf8'), `x,y,z,size,source\n0,0,0,9,0\n`);
});

for (const failing of ['open', 'write 1', 'close']) {
  test(`a sink whose ${failing} fails errors the stream, unsubscribes from the source and releases all`, async (t) => {
    const sink = new NotingSink();
    sink.failing = failing;
    const holds = new Holds();
    let stopped = false;
    const source = new Observable<CellBatch>((subscriber) => {
      for (let i = 0; i < 4; i++) subscriber.next(holds.batch(table(i, 1), i === 3));
      if (failing === 'close') subscriber.complete();
      return () => {
        stopped = true;
      };
    });
    const passed: CellBatch[] = [];
    const piped = source.pipe(
      write(sink),
      tap((batch) => passed.push(batch)),
    );
    await t.throwsAsync(lastValueFrom(piped), { instanceOf: SinkError, message: `noting: ${failing} failed` });
    t.is(stopped, failing !== 'open');
    t.deepEqual([holds.held, holds.wrong], [0, 0]);
    t.is(passed.length, { open: 0, 'write 1': 1, close: 3 }[failing] as number);
    t.is(sink.calls.at(-1), failing === 'open' ? 'open' : 'abort');
  });
}

test('whenever the stream ends, early or late, in any way, nothing stays held and the sink is closed or aborted once', async (t) => {
  const reached = { completed: 0, errored: 0, unsubscribedBefore: 0, unsubscribedAmid: 0, sinkFailed: 0 };
  const drawn = fc.record({
    count: fc.integer({ min: 0, max: 8 }),
    sync: fc.boolean(),
    end: fc.constantFrom('complete', 'error', 'never'),
    stopAfterMs: fc.option(fc.nat(12)),
    failing: fc.option(fc.constantFrom('open', 'write 0', 'write 3', 'close')),
  });
  await fc.assert(
    fc.asyncProperty(drawn, async ({ count, sync, end, stopAfterMs, failing }) => {
      const sink = new NotingSink();
      sink.failing = failing ?? undefined;
      const holds = new Holds();
      const batches = Array.from({ length: count }, (_, i) => holds.batch(table(i, 1), i === count - 1));
      const tail = { complete: EMPTY, error: throwError(() => new Error('broken')), never: NEVER }[end];
      const each = (batch: CellBatch) => (sync ? of(batch) : timer(1).pipe(concatMap(() => of(batch))));
      const passed: CellBatch[] = [];
      let outcome = 'stopped';
      const subscription = concat(from(batches).pipe(concatMap(each)), tail)
        .pipe(write(sink))
        .subscribe({
          next: (batch) => passed.push(batch),
          error: (error: Error) => {
            outcome = error.message;
          },
          complete: () => {
            outcome = 'complete';
          },
        });
      if (stopAfterMs !== null) await wait(stopAfterMs);
      else if (end === 'never') await wait(60);
      else for (let i = 0; outcome === 'stopped' && i < 1000; i++) await wait(1);
      if (outcome === 'stopped') passed.length === 0 ? reached.unsubscribedBefore++ : reached.unsubscribedAmid++;
      subscription.unsubscribe();
      await idle();
      if (outcome === 'complete') reached.completed++;
      else if (outcome === 'broken') reached.errored++;
      else if (outcome !== 'stopped') reached.sinkFailed++;
      t.deepEqual([holds.held, holds.wrong], [0, 0]);
      t.deepEqual(passed, batches.slice(0, passed.length));
      t.false(sink.calls.includes('two calls at a time'));
      const ends = sink.calls.filter((call) => call === 'close' || call === 'abort').join();
      if (outcome === 'complete') t.is(ends, 'close');
      else if (failing === 'open' && outcome !== 'stopped') t.is(ends, '');
      else t.true(['abort', 'close', 'close,abort', ''].includes(ends), ends);
      if (outcome === 'broken') t.is(ends, 'abort');
      if (outcome === 'complete') t.is(passed.length, count);
    }),
    { numRuns: 120 },
  );
  for (const [what, times] of Object.entries(reached)) t.true(times > 0, `no drawn case was ${what}`);
});

test('paced calls one at a time, in order, and passes on in order', async (t) => {
  const holds = new Holds();
  const batches = Array.from({ length: 6 }, (_, i) => holds.batch(table(i, 1), i === 5));
  const log: string[] = [];
  const slow = paced(async ({ cells }) => {
    log.push(`in ${cells.column('x')?.[0]}`);
    await wait(2);
    log.push(`out ${cells.column('x')?.[0]}`);
  });
  t.deepEqual(await lastValueFrom(from(batches).pipe(slow, toArray())), batches);
  t.deepEqual(
    log,
    [0, 1, 2, 3, 4, 5].flatMap((i) => [`in ${i}`, `out ${i}`]),
  );
  t.is(holds.held, 0);
});
