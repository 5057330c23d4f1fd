import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { CellTable } from '../../core/cellTable.js';
import { OptionError, SinkError } from '../../core/errors.js';
import { csv } from '../../sinks/csv.js';
import { names, table } from '../support/batches.js';
import { tempFolder } from '../support/temp.js';

test('every number of every table reads back the same from the file', async (t) => {
  const path = join(await tempFolder(t), 'cells.csv');
  const integer = fc.integer({ min: 0, max: 2 ** 31 - 1 });
  const value = fc.double({ noNaN: true, noDefaultInfinity: true });
  const row = fc.tuple(integer, integer, integer, integer, value);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(row, { maxLength: 5 }), { minLength: 1, maxLength: 5 }), async (tables) => {
      const sink = csv(path);
      await sink.open();
      for (const rows of tables)
        await sink.write(CellTable.fromRows(names, Float64Array.from(rows.flat()), names.length));
      await sink.close();
      const [header, ...lines] = (await readFile(path, 'utf8')).split('\n');
      t.is(header, 'x,y,z,size,source');
      t.is(lines.pop(), '');
      t.deepEqual(
        lines.map((line) => line.split(',').map(Number)),
        tables.flat().map((one) => [...one]),
      );
    }),
    { numRuns: 100 },
  );
});

test('integers are plain and other numbers are the shortest decimals', async (t) => {
  const path = join(await tempFolder(t), 'cells.csv');
  const sink = csv(path);
  await sink.open();
  await sink.write(CellTable.fromRows(names, Float64Array.of(2047, 0, 12, 105, 945, 1, 2, 3, 4, 0.1), names.length));
  await sink.close();
  t.is(await readFile(path, 'utf8'), 'x,y,z,size,source\n2047,0,12,105,945\n1,2,3,4,0.1\n');
});

test('a table of many thousand rows is written whole and in order', async (t) => {
  const path = join(await tempFolder(t), 'cells.csv');
  const sink = csv(path);
  await sink.open();
  await sink.write(table(0, 10_000));
  await sink.write(table(10_000, 1));
  await sink.close();
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n').slice(1);
  t.deepEqual(
    lines.map((line) => Number.parseInt(line, 10)),
    [...Array(10_001).keys()],
  );
});

test('tables without rows leave a header', async (t) => {
  const path = join(await tempFolder(t), 'cells.csv');
  const sink = csv(path);
  await sink.open();
  await sink.write(CellTable.empty(names));
  await sink.write(CellTable.empty(names));
  await sink.close();
  t.is(await readFile(path, 'utf8'), 'x,y,z,size,source\n');
});

test('the file has its name only when it is complete, and replaces what had it', async (t) => {
  const folder = await tempFolder(t);
  const path = join(folder, 'cells.csv');
  await writeFile(path, 'old');
  await writeFile(`${path}.partial`, 'left by a run that was killed');
  const sink = csv(path);
  await sink.open();
  await sink.write(table(0, 3));
  t.is(await readFile(path, 'utf8'), 'old');
  await sink.close();
  t.is((await readFile(path, 'utf8')).split('\n').length, 5);
  t.deepEqual(await readdir(folder), ['cells.csv']);
});

test('an aborted file leaves nothing, and the sink may be opened again', async (t) => {
  const folder = await tempFolder(t);
  const sink = csv(join(folder, 'cells.csv'));
  await sink.open();
  await sink.write(table(0, 3));
  await sink.abort();
  await sink.abort();
  t.deepEqual(await readdir(folder), []);
  await sink.open();
  await sink.write(table(5, 1));
  await sink.close();
  t.true((await readFile(join(folder, 'cells.csv'), 'utf8')).startsWith('x,y,z,size,source\n5,'));
});

test('a folder that is missing or is none, a folder in place of the file, and no name are refused when opened', async (t) => {
  const folder = await tempFolder(t);
  const missing = join(folder, 'none', 'cells.csv');
  await t.throwsAsync(csv(missing).open(), {
    instanceOf: SinkError,
    message: `${missing}: cannot be created: no such file or directory (ENOENT)`,
  });
  await writeFile(join(folder, 'file'), '');
  const inFile = { instanceOf: SinkError, message: /cannot be created: not a directory \(ENOTDIR\)$/ };
  await t.throwsAsync(csv(join(folder, 'file', 'cells.csv')).open(), inFile);
  await mkdir(join(folder, 'cells.csv'));
  const isFolder = { instanceOf: SinkError, message: /cannot be replaced, expected a file or nothing there$/ };
  await t.throwsAsync(csv(join(folder, 'cells.csv')).open(), isFolder);
  t.throws(() => csv(''), { instanceOf: OptionError });
  t.deepEqual((await readdir(folder)).sort(), ['cells.csv', 'file']);
});

test('columns that change midway are refused', async (t) => {
  const sink = csv(join(await tempFolder(t), 'cells.csv'));
  await sink.open();
  await sink.write(table(0, 1));
  await t.throwsAsync(sink.write(CellTable.empty(['x', 'y', 'z'])), {
    instanceOf: SinkError,
    message: /columns changed, expected x int32, .*, source float64, got x int32, y int32, z int32$/,
  });
  await sink.abort();
});

test('a full disk is an error that names the file', async (t) => {
  if (!existsSync('/dev/full')) return t.pass();
  const folder = await tempFolder(t);
  // The partial file is a link to a device that is always full.
  const { symlink } = await import('node:fs/promises');
  await symlink('/dev/full', join(folder, 'cells.csv.partial'));
  const sink = csv(join(folder, 'cells.csv'));
  await sink.open();
  const full = { instanceOf: SinkError, message: /cells\.csv: cannot be written: no space left on device \(ENOSPC\)$/ };
  await t.throwsAsync(sink.write(table(0, 3)), full);
  await sink.abort();
  t.deepEqual(await readdir(folder), []);
});
