import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { lastValueFrom, of } from 'rxjs';
import { CellTable, type Column } from '../../core/cellTable.js';
import { SourceError } from '../../core/errors.js';
import { csv } from '../../sinks/csv.js';
import { npyTable } from '../../sinks/npyTable.js';
import { write } from '../../sinks/write.js';
import { readCells } from '../../sources/readCells.js';
import { Holds, names } from '../support/batches.js';
import { inProject } from '../support/paths.js';
import { tempFolder } from '../support/temp.js';

/** Column by column, with the types, and -0 and NaN told apart from all else. */
const columnsOf = (cells: CellTable) =>
  cells.names.map((name) => [name, cells.column(name) instanceof Int32Array, [...(cells.column(name) as Column)]]);

for (const [ending, sink] of Object.entries({ csv, npy: npyTable })) {
  test(`every table that is written as .${ending} reads back the same, bit for bit, with its types`, async (t) => {
    const path = join(await tempFolder(t), `cells.${ending}`);
    const reached = { negative: 0, extreme: 0, minusZero: 0, notANumber: 0, infinite: 0, manyDigits: 0, tiny: 0 };
    const integer = fc.oneof(fc.integer(), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1));
    const value = fc.oneof(
      fc.double(),
      fc.integer({ min: 0, max: 65535 }),
      fc.tuple(fc.integer({ min: -(10 ** 9), max: 10 ** 9 }), fc.nat(15)).map(([a, b]) => a / 10 ** b),
      fc.constantFrom(-0, Number.NaN, Infinity, -Infinity, 5e-324, 1.7976931348623157e308, 0.1, 1e21, 2 ** 53 + 2),
    );
    const row = fc.tuple(integer, integer, integer, integer, value);
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 12 }), async (rows) => {
        const cells = CellTable.fromRows(names, Float64Array.from(rows.flat()));
        await lastValueFrom(of(new Holds().batch(cells, true)).pipe(write(sink(path))));
        t.deepEqual(columnsOf(await readCells(path)), columnsOf(cells));
        for (const [x, , , , number] of rows) {
          if (x < 0) reached.negative++;
          if (Math.abs(x) >= 2 ** 31 - 1) reached.extreme++;
          if (Object.is(number, -0)) reached.minusZero++;
          if (Number.isNaN(number)) reached.notANumber++;
          if (Math.abs(number) === Infinity) reached.infinite++;
          if (String(number).replace(/\D/g, '').length > 15) reached.manyDigits++;
          if (number !== 0 && Math.abs(number) < 1e-7) reached.tiny++;
        }
      }),
      { numRuns: 150 },
    );
    for (const [what, times] of Object.entries(reached)) t.true(times > 0, `no drawn case was ${what}`);
  });

  test(`a .${ending} table of many pieces reads back the same`, async (t) => {
    const path = join(await tempFolder(t), `cells.${ending}`);
    const rows = new Float64Array(names.length * 150_001).map((_, i) => (i % 5 === 4 ? i / 7 : (i * 7919) % 100_003));
    const cells = CellTable.fromRows(names, rows);
    const target = sink(path);
    await target.open();
    await target.write(cells);
    await target.close();
    const found = await readCells(path);
    t.is(found.columnTypes, cells.columnTypes);
    for (const name of names) {
      const [a, b] = [found.column(name), cells.column(name)] as [Column, Column];
      t.true(a.length === b.length && a.every((value, at) => value === b[at]), name);
    }
  });
}

test("the reference's own tables read as their text", async (t) => {
  const cells = await readCells(inProject('test/reference/mini_default.csv'));
  t.is(cells.count, 623);
  t.is(cells.columnTypes, 'x int32, y int32, z int32, size int32, source float64, background float64');
  t.deepEqual(cells.row(0), { x: 64, y: 36, z: 1, size: 1, source: 1148, background: 819 });
});

test('text from elsewhere is understood: line ends, a mark of the byte order, signs, spaces and exponents', async (t) => {
  const path = join(await tempFolder(t), 'cells.CSV');
  await writeFile(path, '\ufeffx, y,mean\r\n+1, -2 ,1e3\r\n3.0,4.,-.5E-1\r\n5,6,nan\r\n7,8,-inf');
  const cells = await readCells(path);
  t.is(cells.columnTypes, 'x int32, y int32, mean float64');
  t.deepEqual([...(cells.column('x') ?? [])], [1, 3, 5, 7]);
  t.deepEqual([...(cells.column('y') ?? [])], [-2, 4, 6, 8]);
  t.deepEqual([...(cells.column('mean') ?? [])], [1000, -0.05, Number.NaN, -Infinity]);
});

test('a header alone, with or without its line end, is a table without rows', async (t) => {
  const path = join(await tempFolder(t), 'cells.csv');
  for (const text of ['x,y,z', 'x,y,z\n', 'x,y,z\r\n']) {
    await writeFile(path, text);
    t.is((await readCells(path)).columnTypes, 'x int32, y int32, z int32');
  }
});

const long = `${'1'.repeat(200)}`;
const badTexts: readonly (readonly [claim: string, text: string, problem: string])[] = [
  ['no text', '', 'is empty, expected a line with the names of the columns'],
  ['no names', '1,2,3\n4,5,6\n', "line 1: expected the names of the columns, got '1,2,3'"],
  ['an empty name', 'x,,z\n', "line 1: expected the names of the columns, got 'x,,z'"],
  ['a name twice', 'x,y,x\n', 'line 1: expected each column once, got x twice'],
  ['a value too few', 'x,y,z\n1,2,3\n4,5\n', "line 3: expected 3 values, got 2: '4,5'"],
  ['a value too many', 'x,y\n1,2,3\n', "line 2: expected 2 values, got 3: '1,2,3'"],
  ['an empty line', 'x,y\n1,2\n\n3,4\n', "line 3: expected 2 values, got 1: ''"],
  ['an empty value', 'x,y\n1,\n', "line 2, column y: expected an integer of 32 bits, got ''"],
  ['a word', 'x,mean\n1,high\n', "line 2, column mean: expected a number, got 'high'"],
  ['a hexadecimal number', 'mean\n0x10\n', "line 2, column mean: expected a number, got '0x10'"],
  [
    'a fraction in a column of integers',
    'size\n1.5\n',
    "line 2, column size: expected an integer of 32 bits, got '1.5'",
  ],
  ['an integer too large', 'x\n2147483648\n', "line 2, column x: expected an integer of 32 bits, got '2147483648'"],
  ['no number in a column of integers', 'x\nnan\n', "line 2, column x: expected an integer of 32 bits, got 'nan'"],
  ['a very long value', `x\n${long}\n`, `line 2, column x: expected an integer of 32 bits, got '${'1'.repeat(77)}...'`],
  ['an endless line', `x\n${'1'.repeat(600_000)}`, 'line 2: longer than 262144 bytes, expected a line of a table'],
  ['a line cut off late', `x,y\n${'1,2\n'.repeat(100_000)}3`, "line 100002: expected 2 values, got 1: '3'"],
];
for (const [claim, text, problem] of badTexts) {
  test(`a text with ${claim} is refused in one line that names the line`, async (t) => {
    const path = join(await tempFolder(t), 'bad.csv');
    await writeFile(path, text);
    await t.throwsAsync(readCells(path), { instanceOf: SourceError, message: `${path}: ${problem}` });
  });
}

/** A structured NPY file of version 1. */
function structured(descr: string, shape: string, data: Uint8Array): Buffer {
  const header = Buffer.from(`{'descr': ${descr}, 'fortran_order': False, 'shape': ${shape}, }\n`, 'latin1');
  const lead = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
  return Buffer.concat([lead, header, data]);
}

test('fields of every type, size and byte order read as their values, padding left out', async (t) => {
  const path = join(await tempFolder(t), 'cells.npy');
  const reached: Record<string, number> = {};
  const kinds = ['i1', 'u1', 'i2', 'u2', 'i4', 'u4', 'i8', 'u8', 'f4', 'f8', 'V3'] as const;
  const field = fc.record({ kind: fc.constantFrom(...kinds), big: fc.boolean(), seed: fc.integer() });
  const put = (view: DataView, kind: (typeof kinds)[number], value: number, little: boolean) => {
    if (kind === 'i1') view.setInt8(0, value);
    else if (kind === 'u1') view.setUint8(0, value);
    else if (kind === 'i2') view.setInt16(0, value, little);
    else if (kind === 'u2') view.setUint16(0, value, little);
    else if (kind === 'i4') view.setInt32(0, value, little);
    else if (kind === 'u4') view.setUint32(0, value, little);
    else if (kind === 'i8') view.setBigInt64(0, BigInt(value), little);
    else if (kind === 'u8') view.setBigUint64(0, BigInt(value), little);
    else if (kind === 'f4') view.setFloat32(0, value, little);
    else if (kind === 'f8') view.setFloat64(0, value, little);
  };
  const drawnValue = (kind: (typeof kinds)[number], seed: number, row: number): number => {
    const any = (seed + row * 2654435761) | 0;
    if (kind === 'f4') return Math.fround(any / 3);
    if (kind === 'f8') return any / 3;
    const bits = Math.min(32, 8 * Number(kind[1]));
    return kind.startsWith('i') ? any >> (32 - bits) : (any >>> 1) >>> (bits === 32 ? 0 : 32 - bits);
  };
  await fc.assert(
    fc.asyncProperty(fc.array(field, { minLength: 1, maxLength: 6 }), fc.nat(5), async (fields, rows) => {
      const parts: Buffer[] = [];
      const expected = fields.map(({ kind, big, seed }, at) => {
        const order = kind.endsWith('1') || kind === 'V3' ? '|' : big ? '>' : '<';
        reached[`${order}${kind}`] = 1;
        return { kind, order, seed, name: kind === 'V3' ? '' : `f${at}` };
      });
      for (let row = 0; row < rows; row++) {
        for (const { kind, order, seed } of expected) {
          const bytes = Buffer.alloc(Number(kind[1]), 0xee);
          put(new DataView(bytes.buffer, bytes.byteOffset), kind, drawnValue(kind, seed, row), order !== '>');
          parts.push(bytes);
        }
      }
      const descr = expected.map(({ name, order, kind }) => `('${name}', '${order}${kind}')`).join(', ');
      await writeFile(path, structured(`[${descr}]`, `(${rows},)`, Buffer.concat(parts)));
      const found = columnsOf(await readCells(path));
      const columns = expected.filter(({ kind }) => kind !== 'V3');
      t.deepEqual(
        found,
        columns.map(({ name, kind, seed }) => {
          const values = Array.from({ length: rows }, (_, row) => drawnValue(kind, seed, row));
          return [name, !kind.startsWith('f'), values];
        }),
      );
    }),
    { numRuns: 300 },
  );
  t.is(Object.keys(reached).length, 19, `only ${Object.keys(reached)} were drawn`);
});

test('integers beyond 32 bits are refused with their row, column and all their digits', async (t) => {
  const path = join(await tempFolder(t), 'big.npy');
  const cases: readonly (readonly [string, bigint])[] = [
    ['<i8', 2n ** 31n],
    ['<i8', -(2n ** 31n) - 1n],
    ['<i8', 9223372036854775807n],
    ['>i8', -9223372036854775808n],
    ['<u8', 18446744073709551615n],
    ['>u8', 2n ** 32n],
    ['<i8', -(2n ** 32n)],
    ['<u4', 4294967295n],
  ];
  for (const [type, value] of cases) {
    const bytes = Buffer.alloc(2 * Number(type[2]));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (type === '<u4') view.setUint32(4, Number(value), true);
    else view.setBigUint64(8, BigInt.asUintN(64, value), type[0] === '<');
    await writeFile(path, structured(`[('x', '${type}')]`, '(2,)', bytes));
    await t.throwsAsync(readCells(path), {
      instanceOf: SourceError,
      message: `${path}: row 1, column x: expected an integer of 32 bits, got ${value}`,
    });
  }
});

const one = Buffer.alloc(8);
const badArrays: readonly (readonly [claim: string, descr: string, shape: string, problem: RegExp])[] = [
  ['no fields', "'<f8'", '(1,)', /type, expected a structured one such as .*, got '<f8'$/],
  ['two axes', "[('x', '<i8')]", '(1, 1)', /table, expected one axis, got 2: \(1, 1\)$/],
  ['no axis', "[('x', '<i8')]", '()', /table, expected one axis, got 0: \(\)$/],
  ['too few rows', "[('x', '<i8')]", '(2,)', /ends at byte \d+, expected at least \d+ bytes$/],
  ['a text', "[('x', '<U2')]", '(1,)', /field x, expected an integer of 1 to 8 bytes .*, got '<U2'$/],
  ['a half float', "[('x', '<f2')]", '(1,)', /field x, expected an integer of 1 to 8 bytes .*, got '<f2'$/],
  ['a name twice', "[('x', '<i4'), ('x', '<i4')]", '(1,)', /field x, expected it once, got it twice$/],
  [
    'fields in fields',
    "[('x', [('a', '<i8')])]",
    '(1,)',
    /expected fields of one number each .*, got field x of another$/,
  ],
  [
    'an array a field',
    "[('x', '<i4', (2,))]",
    '(1,)',
    /expected fields of one number each .*, got field x of another$/,
  ],
  ['no pairs', "['x']", '(1,)', /expected fields of one number each .*, got another$/],
];
for (const [claim, descr, shape, problem] of badArrays) {
  test(`an array with ${claim} is refused in one line that names the file`, async (t) => {
    const path = join(await tempFolder(t), 'bad.npy');
    await writeFile(path, structured(descr, shape, one));
    const error = await t.throwsAsync(readCells(path), { instanceOf: SourceError, message: problem });
    t.true(error?.message.startsWith(`${path}: `));
    t.false(error?.message.includes('\n'));
  });
}

test('a missing file, a folder, and a file of another kind are refused in one line', async (t) => {
  const folder = await tempFolder(t);
  for (const ending of ['csv', 'npy']) {
    const path = join(folder, `cells.${ending}`);
    const missing = `${path}: cannot be opened: no such file or directory (ENOENT)`;
    await t.throwsAsync(readCells(path), { instanceOf: SourceError, message: missing });
    await mkdir(path);
    const isFolder = `${path}: expected a table of cells, got a folder or device`;
    await t.throwsAsync(readCells(path), { instanceOf: SourceError, message: isFolder });
  }
  const kind = /cells\.txt: unknown kind of table, expected a \.csv or \.npy file$/;
  await t.throwsAsync(readCells(join(folder, 'cells.txt')), { instanceOf: SourceError, message: kind });
  await writeFile(join(folder, 'text.npy'), 'x,y,z\n');
  const noArray = /not an NPY file/;
  await t.throwsAsync(readCells(join(folder, 'text.npy')), { instanceOf: SourceError, message: noArray });
});
