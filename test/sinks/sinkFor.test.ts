import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { OptionError } from '../../core/errors.js';
import { sinkFor } from '../../sinks/sinkFor.js';
import { table } from '../support/batches.js';
import { tempFolder } from '../support/temp.js';

test('a file is written in the format that its ending names, in capitals or not', async (t) => {
  const folder = await tempFolder(t);
  for (const [name, begins] of [
    ['a.csv', 'x,y,z'],
    ['a.b.CSV', 'x,y,z'],
    ['a.npy', '\x93NUMPY'],
    ['.x.NPY', '\x93NUMPY'],
  ] as const) {
    const sink = sinkFor(join(folder, name));
    await sink.open();
    await sink.write(table(0, 1));
    await sink.close();
    t.true((await readFile(join(folder, name), 'latin1')).startsWith(begins), name);
  }
});

test('a path with another ending or none is refused, naming the known ones', (t) => {
  for (const path of ['cells', 'cells.txt', 'cells.csv/', 'folder.csv/cells', 'csv', '.csv', '', 'a.constructor']) {
    t.throws(() => sinkFor(path), {
      instanceOf: OptionError,
      message: `sinkFor: path must be a file name that ends in .csv or .npy, got '${path}'`,
    });
  }
});
