import test from 'ava';
import fc from 'fast-check';
import { CellTable } from '../core/cellTable.js';
import { OptionError } from '../core/errors.js';
import { names, table } from './support/batches.js';

const rowsOf = (cells: CellTable) => Array.from({ length: cells.count }, (_, row) => cells.row(row));

test('tables cut anywhere and put together again are the same, types and all', (t) => {
  fc.assert(
    fc.property(fc.array(fc.nat(5), { minLength: 1, maxLength: 6 }), (counts) => {
      let first = 0;
      const parts = counts.map((count) => {
        const part = table(first, count);
        first += count;
        return part;
      });
      const whole = CellTable.concat(parts);
      t.deepEqual(rowsOf(whole), parts.flatMap(rowsOf));
      t.is(whole.columnTypes, 'x int32, y int32, z int32, size int32, source float64');
    }),
  );
  t.deepEqual(CellTable.concat([]).names, []);
});

test('tables of other columns, order or types cannot be put together', (t) => {
  const floats = new CellTable(new Map(names.map((name) => [name, new Float64Array(1)])));
  for (const other of [CellTable.empty(['x']), CellTable.empty(names.toReversed()), floats]) {
    t.throws(() => CellTable.concat([table(0, 1), other]), { instanceOf: OptionError, message: /of columns x int32/ });
  }
});

test('picked rows are those asked for, in that order', (t) => {
  const picked = table(0, 5).pick(Uint32Array.of(4, 0, 4));
  t.deepEqual(
    rowsOf(picked),
    [4, 0, 4].map((row) => table(0, 5).row(row)),
  );
  t.true(picked.column('size') instanceof Int32Array);
  t.is(table(0, 5).pick(new Uint32Array(0)).count, 0);
});
