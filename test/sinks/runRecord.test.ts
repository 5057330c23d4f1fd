/** The record of a run beside its table. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { concat, lastValueFrom, NEVER, of, take, throwError } from 'rxjs';
import { SinkError } from '../../core/errors.js';
import { idle } from '../../core/idle.js';
import { filterCells } from '../../operators/filterCells.js';
import { csv } from '../../sinks/csv.js';
import { npyTable } from '../../sinks/npyTable.js';
import { write } from '../../sinks/write.js';
import { Holds, names, record, table } from '../support/batches.js';
import { tempFolder } from '../support/temp.js';

for (const [ending, sink] of Object.entries({ csv, npy: npyTable })) {
  test(`a .${ending} table has the record of its run beside it, with its rows and columns`, async (t) => {
    const folder = await tempFolder(t);
    const path = join(folder, `cells.${ending}`);
    const holds = new Holds();
    const first = { ...holds.batch(table(0, 3)), record: () => ({ ...record, seconds: 0.1 }) };
    const found = of(first, holds.batch(table(3, 2), true));
    await lastValueFrom(found.pipe(filterCells({ x: { min: 1 } }), write(sink(path))));
    const text = await readFile(`${path}.json`, 'utf8');
    const parameters = { ...record.parameters, filterCells: { x: { min: 1 } } };
    t.deepEqual(JSON.parse(text), { ...record, parameters, rows: 4, columns: names });
    t.true(text.startsWith('{\n  "somaflow": '), 'it is laid out for people');
    t.true(text.endsWith('}\n'));
    t.deepEqual((await readdir(folder)).sort(), [`cells.${ending}`, `cells.${ending}.json`]);
  });

  test(`a .${ending} table without a record does not keep that of the table it replaces`, async (t) => {
    const folder = await tempFolder(t);
    const path = join(folder, `cells.${ending}`);
    await lastValueFrom(of(new Holds().batch(table(0, 1), true)).pipe(write(sink(path))));
    t.true(existsSync(`${path}.json`));
    const again = sink(path);
    await again.open();
    await again.write(table(0, 1));
    t.true(existsSync(`${path}.json`), 'the old table still has its record');
    await again.close();
    t.deepEqual(await readdir(folder), [`cells.${ending}`]);
  });
}

test('after an error or an unsubscribe the table that was there keeps its record, and nothing else is there', async (t) => {
  const folder = await tempFolder(t);
  const path = join(folder, 'cells.csv');
  await writeFile(path, 'old');
  await writeFile(`${path}.json`, 'old record');
  const batch = new Holds().batch(table(0, 1));
  const broken = concat(
    of(batch),
    throwError(() => new Error('broken')),
  );
  await t.throwsAsync(lastValueFrom(broken.pipe(write(csv(path)))), { message: 'broken' });
  await lastValueFrom(concat(of(batch), NEVER).pipe(write(csv(path)), take(1)));
  await idle();
  t.deepEqual((await readdir(folder)).sort(), ['cells.csv', 'cells.csv.json']);
  t.is(await readFile(path, 'utf8'), 'old');
  t.is(await readFile(`${path}.json`, 'utf8'), 'old record');
});

test('a folder in the place of the record is refused when opened', async (t) => {
  const folder = await tempFolder(t);
  await mkdir(join(folder, 'cells.csv.json'));
  const message = /cells\.csv\.json: cannot be replaced, expected a file or nothing there$/;
  await t.throwsAsync(csv(join(folder, 'cells.csv')).open(), { instanceOf: SinkError, message });
  t.deepEqual(await readdir(folder), ['cells.csv.json']);
});

test('a record that cannot be stored leaves no table either', async (t) => {
  if (!existsSync('/dev/full')) return t.pass();
  const folder = await tempFolder(t);
  await symlink('/dev/full', join(folder, 'cells.csv.json.partial'));
  const found = of(new Holds().batch(table(0, 1), true)).pipe(write(csv(join(folder, 'cells.csv'))));
  const message = /cells\.csv\.json: cannot be written: no space left on device \(ENOSPC\)$/;
  await t.throwsAsync(lastValueFrom(found), { instanceOf: SinkError, message });
  t.deepEqual(await readdir(folder), []);
});
