import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { SinkError } from '../../core/errors.js';
import { AtomicFile } from '../../sinks/atomicFile.js';
import { csv } from '../../sinks/csv.js';
import { npyTable } from '../../sinks/npyTable.js';
import { npyVolume } from '../../sinks/npyVolume.js';
import { tempFolder } from '../support/temp.js';

/** A user whom permissions bind: root may write anywhere. */
const NOBODY = 65534;

test.serial(
  'a folder that must not be written is refused when opened, by every sink, and nothing is left there',
  async (t) => {
    const folder = await tempFolder(t);
    await chmod(folder, 0o555);
    const uid = process.geteuid?.() ?? NOBODY;
    if (uid === 0) process.seteuid?.(NOBODY);
    const denied = { instanceOf: SinkError, message: /cells: cannot be created: permission denied \(EACCES\)$/ };
    const path = join(folder, 'cells');
    const image = { size: { z: 1, y: 1, x: 1 }, dtype: 'uint8' } as const;
    try {
      await t.throwsAsync(csv(path).open(), denied);
      await t.throwsAsync(npyTable(path).open(), denied);
      await t.throwsAsync(npyVolume(path).open(image), denied);
    } finally {
      if (uid === 0) process.seteuid?.(uid);
      await chmod(folder, 0o755);
    }
    t.deepEqual(await readdir(folder), []);
  },
);

test('two files of one name are refused while the first grows, however the path is written', async (t) => {
  const folder = await tempFolder(t);
  const first = new AtomicFile(join(folder, 'a'));
  const second = new AtomicFile(`${folder}/./b/../a`);
  await first.open();
  await first.append('one');
  await t.throwsAsync(second.open(), { instanceOf: SinkError, message: /a: is being written already/ });
  // What was refused has nothing to remove.
  await second.abort();
  await first.close();
  t.is(await readFile(join(folder, 'a'), 'utf8'), 'one');
  await mkdir(join(folder, 'b'));
  await second.open();
  await second.append('two');
  await second.close();
  t.is(await readFile(join(folder, 'a'), 'utf8'), 'two');
});

test('a file that could not be opened may be opened later', async (t) => {
  const folder = await tempFolder(t);
  const file = new AtomicFile(join(folder, 'later', 'a'));
  await t.throwsAsync(file.open(), { instanceOf: SinkError, message: /no such file or directory/ });
  await mkdir(join(folder, 'later'));
  await file.open();
  await file.close();
  t.deepEqual(await readdir(join(folder, 'later')), ['a']);
});

test('writes at places and appended ones go where they belong, and what nobody wrote is zero', async (t) => {
  const path = join(await tempFolder(t), 'a');
  const file = new AtomicFile(path);
  await file.open();
  await file.append('head');
  await Promise.all([file.writeAt(8, Buffer.from('late')), file.writeAt(0, Buffer.from('H'))]);
  await file.append('er');
  await file.setLength(14);
  await file.close();
  t.is(await readFile(path, 'latin1'), 'Header\0\0late\0\0');
});

test('nothing can be written before open or after the end', async (t) => {
  const path = join(await tempFolder(t), 'a');
  const file = new AtomicFile(path);
  const closed = { instanceOf: SinkError, message: `${path}: is not open, expected open() before anything else` };
  await t.throwsAsync(file.append('x'), closed);
  await file.open();
  await file.close();
  await t.throwsAsync(file.writeAt(0, Buffer.from('x')), closed);
  await t.throwsAsync(file.close(), closed);
  await file.abort();
  t.is(await readFile(path, 'utf8'), '');
});

test('aborting removes what grew and keeps what had the name', async (t) => {
  const folder = await tempFolder(t);
  await writeFile(join(folder, 'a'), 'old');
  const file = new AtomicFile(join(folder, 'a'));
  await file.open();
  await file.append('new');
  t.deepEqual((await readdir(folder)).sort(), ['a', 'a.partial']);
  await file.abort();
  t.deepEqual(await readdir(folder), ['a']);
  t.is(await readFile(join(folder, 'a'), 'utf8'), 'old');
});
