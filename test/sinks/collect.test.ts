import test from 'ava';
import { concat, defer, firstValueFrom, from, lastValueFrom, NEVER, of, retry, throwError } from 'rxjs';
import { CellTable } from '../../core/cellTable.js';
import { OptionError, SinkError } from '../../core/errors.js';
import { idle } from '../../core/idle.js';
import { collect } from '../../sinks/collect.js';
import { write } from '../../sinks/write.js';
import { Holds, names, record, table } from '../support/batches.js';

const holds = new Holds();

test('all cells of all batches are in the table when the stream has completed, and the record is there', async (t) => {
  const found = collect();
  const batches = [table(0, 2), CellTable.empty(names), table(2, 3), table(5, 0)];
  await lastValueFrom(from(batches.map((cells, i) => holds.batch(cells, i === 3))).pipe(write(found)));
  t.deepEqual(found.table.names, names);
  t.deepEqual([...(found.table.column('x') ?? [])], [0, 1, 2, 3, 4]);
  t.deepEqual(found.table.row(4), { x: 4, y: 2, z: 4, size: 9, source: 4 / 3 });
  t.true(found.table.column('x') instanceof Int32Array);
  t.deepEqual(found.record, record);
});

test('a stream without cells gives a table with its columns, one without batches a table without any', async (t) => {
  const found = collect();
  await lastValueFrom(of(holds.batch(CellTable.empty(names), true)).pipe(write(found)));
  t.deepEqual([found.table.count, found.table.names], [0, names]);
  await found.open();
  await found.close();
  t.deepEqual([found.table.count, found.table.names, found.record], [0, [], undefined]);
});

test('the table cannot be read before the stream has completed, nor after it failed or was unsubscribed', async (t) => {
  const found = collect();
  const before = (got: string) => ({
    instanceOf: OptionError,
    message: `collect: table must be read when the stream has completed, got '${got}'`,
  });
  t.throws(() => found.table, before('no stream that has completed'));
  await firstValueFrom(concat(of(holds.batch(table(0, 1))), NEVER).pipe(write(found)));
  t.throws(() => found.table, before('a stream that still runs'));
  await idle();
  t.throws(() => found.table, before('no stream that has completed'));
  const broken = concat(
    of(holds.batch(table(0, 1))),
    throwError(() => new Error('broken')),
  );
  await t.throwsAsync(lastValueFrom(broken.pipe(write(found))), { message: 'broken' });
  t.throws(() => found.table, before('no stream that has completed'));
});

test('retry, and another stream, start anew', async (t) => {
  const found = collect();
  let tries = 0;
  const source = defer(() => {
    const first = of(holds.batch(table(0, 2)), holds.batch(table(2, 1), true));
    const error = throwError(() => new Error('once more'));
    return tries++ < 2 ? concat(first, error) : first;
  });
  await lastValueFrom(source.pipe(write(found), retry(2)));
  t.is(found.table.count, 3);
  await lastValueFrom(of(holds.batch(table(7, 1), true)).pipe(write(found)));
  t.deepEqual([...(found.table.column('x') ?? [])], [7]);
});

test('two streams at a time, and columns that change, are refused', async (t) => {
  const found = collect();
  await found.open();
  await t.throwsAsync(found.open(), { instanceOf: SinkError, message: /^collect: is being written already/ });
  await found.write(table(0, 1));
  await t.throwsAsync(found.write(CellTable.empty(['x'])), { instanceOf: SinkError, message: /got x int32$/ });
  await found.abort();
  await t.throwsAsync(found.write(table(0, 1)), { instanceOf: SinkError, message: /is not open/ });
});
