import test from 'ava';
import fc from 'fast-check';
import { firstValueFrom, from, lastValueFrom, of, toArray } from 'rxjs';
import type { CellBatch } from '../../core/batch.js';
import { CellTable } from '../../core/cellTable.js';
import { OptionError } from '../../core/errors.js';
import { type CellRanges, filterCells, filterTable, type ValueRange } from '../../operators/filterCells.js';
import { Holds, names, table } from '../support/batches.js';

const holds = new Holds();
const sizes = (...values: number[]) =>
  CellTable.fromRows(names, Float64Array.from(values.flatMap((size, x) => [x, 0, 0, size, size / 2])));
const kept = (cells: CellTable) => [...(cells.column('x') ?? [])];

test('rows stay where every value is in its range: min <= value < max', (t) => {
  const reached = { all: 0, none: 0, some: 0, atMin: 0, atMax: 0, open: 0 };
  const bound = fc.option(fc.integer({ min: -3, max: 8 }));
  const range = fc
    .tuple(bound, bound)
    .map(([a, b]) => (a !== null && b !== null && a > b ? { min: b, max: a } : { min: a, max: b }));
  const value = fc.integer({ min: -3, max: 8 });
  const drawn = fc.record({
    rows: fc.array(fc.tuple(value, value, value, value, fc.oneof(value, fc.constant(Number.NaN))), { maxLength: 30 }),
    ranges: fc.dictionary(fc.constantFrom(...names), range),
  });
  const inside = (number: number, { min, max }: ValueRange) =>
    (min === null || min === undefined || number >= min) && (max === null || max === undefined || number < max);
  fc.assert(
    fc.property(drawn, ({ rows, ranges }) => {
      const cells = CellTable.fromRows(names, Float64Array.from(rows.flat()));
      const expected = rows.filter((row) => names.every((name, at) => inside(row[at] as number, ranges[name] ?? {})));
      const found = filterTable(cells, ranges);
      t.deepEqual(
        Array.from({ length: found.count }, (_, row) => Object.values(found.row(row))),
        expected.map((row) => [...row]),
      );
      t.is(found.columnTypes, cells.columnTypes);
      if (rows.length > 0) reached[expected.length === rows.length ? 'all' : expected.length === 0 ? 'none' : 'some']++;
      for (const [name, { min, max }] of Object.entries(ranges)) {
        const values = rows.map((row) => row[names.indexOf(name)]);
        if (min !== null && values.includes(min)) reached.atMin++;
        if (max !== null && values.includes(max)) reached.atMax++;
        if (min === null && max === null) reached.open++;
      }
    }),
    { numRuns: 400 },
  );
  for (const [what, times] of Object.entries(reached)) t.true(times > 0, `no drawn case was ${what}`);
});

test('a number is the least value, and a side that is left out, null or infinite is open', (t) => {
  const cells = sizes(19, 20, 21, 900);
  t.deepEqual(kept(filterTable(cells, { size: 20 })), [1, 2, 3]);
  t.deepEqual(kept(filterTable(cells, { size: { min: 20, max: 900 } })), [1, 2]);
  t.deepEqual(kept(filterTable(cells, { size: { max: 21 } })), [0, 1]);
  t.deepEqual(kept(filterTable(cells, { size: { min: null, max: 21 } })), [0, 1]);
  t.deepEqual(kept(filterTable(cells, { size: { min: 21, max: Infinity } })), [2, 3]);
  t.deepEqual(kept(filterTable(cells, { size: {}, x: { min: 3, max: null } })), [3]);
  t.deepEqual(kept(filterTable(cells, { size: { min: 20, max: 20 } })), []);
  t.is(filterTable(cells, {}), cells);
});

test('batches keep all else that they tell, and those without cells left come too', async (t) => {
  const batches = [sizes(1, 30), sizes(2), sizes(40)].map(
    (cells, i): CellBatch => ({
      ...holds.batch(cells, i === 2, 'brain', 'low'),
      finalTo: i + 1,
      open: [{ box: { start: { z: i, y: 0, x: 0 }, stop: { z: i + 1, y: 1, x: 1 } }, voxels: 3 }],
    }),
  );
  const found = await lastValueFrom(from(batches).pipe(filterCells({ size: { min: 20 } }), toArray()));
  t.deepEqual(
    found.map(({ cells, record, ...rest }) => rest),
    batches.map(({ cells, record, ...rest }) => rest),
  );
  t.deepEqual(
    found.map(({ cells }) => cells.count),
    [1, 0, 1],
  );
  const [before, after] = [batches[0]?.record(), found[0]?.record()];
  t.deepEqual(after, { ...before, parameters: { ...before?.parameters, filterCells: { size: { min: 20 } } } } as never);
});

test('an unknown column errors the stream and names those that there are', async (t) => {
  const unknown = {
    instanceOf: OptionError,
    message: "filterCells: column must be one of x, y, z, size, source, got 'sise'",
  };
  for (const cells of [table(0, 1), table(0, 0)]) {
    await t.throwsAsync(lastValueFrom(of(holds.batch(cells)).pipe(filterCells({ sise: 20 }))), unknown);
  }
  t.throws(() => filterTable(table(0, 1), { size: 0, sise: 20 }), unknown);
});

test('the one batch of a run without blocks, which knows no measured column, passes', async (t) => {
  const nothing = holds.batch(CellTable.empty(['x', 'y', 'z']), true, '');
  t.is(await firstValueFrom(of(nothing).pipe(filterCells({ size: 20 }))), nothing);
});

test('ranges that cannot be are refused at once', (t) => {
  const wrong: readonly (readonly [unknown, string])[] = [
    [undefined, 'ranges must be an object with a range a column, got undefined'],
    [[20], 'ranges must be an object with a range a column, got [20]'],
    [{ size: '20' }, "size must be a number or { min, max }, got '20'"],
    [{ size: null }, 'size must be a number or { min, max }, got null'],
    [{ size: [20, 900] }, 'size must be a number or { min, max }, got [20,900]'],
    [{ size: Number.NaN }, 'size.min must be a number or null, got NaN'],
    [{ size: { max: '900' } }, "size.max must be a number or null, got '900'"],
    [{ size: { min: 2, max: 1 } }, 'size.min must be at most its max, 1, got 2'],
    [{ size: { min: 2, maximum: 3 } }, "size has no 'maximum', did you mean 'max'?"],
  ];
  for (const [ranges, message] of wrong) {
    t.throws(() => filterCells(ranges as CellRanges), { instanceOf: OptionError, message: `filterCells: ${message}` });
  }
});
