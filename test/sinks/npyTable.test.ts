import { existsSync } from 'node:fs';
import { readdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { CellTable } from '../../core/cellTable.js';
import { OptionError, SinkError } from '../../core/errors.js';
import { npyTable } from '../../sinks/npyTable.js';
import { names, table } from '../support/batches.js';
import { tempFolder } from '../support/temp.js';

/** The text of a version 1 header, and what comes after it. */
function parts(file: Buffer): { header: string; data: Buffer } {
  const stop = 10 + file.readUInt16LE(8);
  return { header: file.toString('latin1', 10, stop), data: file.subarray(stop) };
}

test('the file is laid out byte for byte as NumPy lays out a structured array', async (t) => {
  const path = join(await tempFolder(t), 'cells.npy');
  const sink = npyTable(path);
  await sink.open();
  await sink.write(CellTable.fromRows(names, Float64Array.of(2047, -1, 12, 105, 0.1)));
  await sink.close();
  const file = await readFile(path);
  t.is(file.toString('hex', 0, 8), '934e554d50590100');
  const { header, data } = parts(file);
  const fields = "[('x', '<i8'), ('y', '<i8'), ('z', '<i8'), ('size', '<i8'), ('source', '<f8')]";
  t.is(header.trimEnd(), `{'descr': ${fields}, 'fortran_order': False, 'shape': (1,), }`);
  t.true(header.endsWith('\n'));
  t.is((file.length - data.length) % 64, 0);
  const values = [0, 8, 16, 24].map((at) => data.readBigInt64LE(at));
  t.deepEqual(values, [2047n, -1n, 12n, 105n]);
  t.is(data.readDoubleLE(32), 0.1);
  t.is(data.length, 40);
});

test('the header tells the rows of all tables, and keeps its length for any number of them', async (t) => {
  const path = join(await tempFolder(t), 'cells.npy');
  const lengths = new Set<number>();
  for (const tables of [[], [0], [1], [3, 0, 9000], [20_000]]) {
    const sink = npyTable(path);
    await sink.open();
    for (const count of tables) await sink.write(table(0, count));
    await sink.close();
    const { header, data } = parts(await readFile(path));
    const rows = tables.reduce((sum, count) => sum + count, 0);
    t.true(header.includes(`'shape': (${rows},)`), header);
    t.is(data.length, 40 * rows);
    if (tables.length > 0) lengths.add(header.length);
  }
  t.is(lengths.size, 1);
});

test('columns that change their names or types midway are refused', async (t) => {
  const sink = npyTable(join(await tempFolder(t), 'cells.npy'));
  await sink.open();
  await sink.write(table(0, 1));
  const changed = { instanceOf: SinkError, message: /columns changed, expected x int32, .*, got / };
  await t.throwsAsync(sink.write(CellTable.empty(['x', 'y', 'z'])), changed);
  const floats = new CellTable(new Map(names.map((name) => [name, new Float64Array(1)])));
  await t.throwsAsync(sink.write(floats), changed);
  await sink.abort();
});

test('a name with a quote is refused, and one beyond ASCII makes a file of version 3', async (t) => {
  const path = join(await tempFolder(t), 'cells.npy');
  const sink = npyTable(path);
  await sink.open();
  const message = /a column's name, expected one without quotes and backslashes, got "it's"$/;
  await t.throwsAsync(sink.write(CellTable.empty(["it's"])), { instanceOf: SinkError, message });
  await sink.abort();
  await sink.open();
  await sink.write(CellTable.empty(['größe']));
  await sink.close();
  const file = await readFile(path);
  t.is(file[6], 3);
  t.true(file.toString('utf8', 12, 12 + file.readUInt32LE(8)).includes("('größe', '<f8')"));
});

test('an aborted file leaves nothing, and the sink may be opened again', async (t) => {
  const folder = await tempFolder(t);
  const sink = npyTable(join(folder, 'cells.npy'));
  await sink.open();
  await sink.write(table(0, 3));
  await sink.abort();
  t.deepEqual(await readdir(folder), []);
  await sink.open();
  await sink.write(CellTable.empty(['x']));
  await sink.close();
  t.true(parts(await readFile(join(folder, 'cells.npy'))).header.includes("[('x', '<i8')]"));
});

test('a full disk is an error that names the file', async (t) => {
  if (!existsSync('/dev/full')) return t.pass();
  const folder = await tempFolder(t);
  await symlink('/dev/full', join(folder, 'cells.npy.partial'));
  const sink = npyTable(join(folder, 'cells.npy'));
  await sink.open();
  const full = { instanceOf: SinkError, message: /cells\.npy: cannot be written: no space left on device \(ENOSPC\)$/ };
  await t.throwsAsync(sink.write(table(0, 3)), full);
  await sink.abort();
  t.deepEqual(await readdir(folder), []);
});

test('no path is refused at once', (t) => {
  t.throws(() => npyTable(''), { instanceOf: OptionError, message: "npyTable: path must be a file name, got ''" });
});
