import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { CellTable, Column } from '../core/cellTable.js';
import { OptionError, SinkError } from '../core/errors.js';
import { describeSystemError } from '../core/systemError.js';
import type { CellSink } from './sink.js';

/** Rows made into text at a time: 2 to 5 ms of the JavaScript thread, some 100 kB. */
const ROWS_AT_A_TIME = 2048;

/**
 * A text file of comma-separated values: the names of the columns, then one line a cell.
 *
 * Integers are written plain, other numbers as the shortest decimal that reads back the same. The file grows as
 * `<path>.partial`, and gets its name, replacing what had it, when it is complete and on disk. A stream that ends without
 * any batch leaves an empty file, since only batches know the columns.
 *
 * @throws {OptionError} at once, if the path is empty
 * @throws {SinkError} when opened, if the folder is missing or cannot be written, or the path is a folder; when written,
 * if the disk is full or the columns change
 * @example found.pipe(write(csv('cells.csv')))
 */
export function csv(path: string): CellSink {
  if (typeof path !== 'string' || path === '') throw new OptionError('csv', 'path', 'a file name', path);
  const partial = `${path}.partial`;
  let file: FileHandle | undefined;
  let header: string | undefined;

  const fail = (doing: string) => (error: unknown) => {
    throw new SinkError(path, `cannot be ${doing}: ${describeSystemError(error)}`, { cause: error });
  };
  const put = async (text: string) => {
    if (!file) throw new SinkError(path, 'is not open, expected open() before write()');
    // writeFile of a handle appends, and goes on after a partial write.
    await file.writeFile(text).catch(fail('written'));
  };

  return {
    async open() {
      if (file) throw new SinkError(path, 'is being written already, expected one stream a sink');
      const there = await stat(path).catch(() => undefined);
      if (there && !there.isFile()) throw new SinkError(path, 'cannot be replaced, expected a file or nothing there');
      header = undefined;
      file = await open(partial, 'w').catch(fail('created'));
    },

    async write(table) {
      const names = table.names.join(',');
      if (header === undefined) {
        await put(`${names}\n`);
        header = names;
      }
      if (names !== header) throw new SinkError(path, `columns changed, expected ${header}, got ${names}`);
      for (const text of rowsOf(table)) await put(text);
    },

    async close() {
      if (!file) throw new SinkError(path, 'is not open, expected open() before close()');
      // On disk before it has its name: a power cut must not leave a whole name on half a file.
      await file.sync().catch(fail('stored'));
      await file.close().catch(fail('stored'));
      file = undefined;
      await rename(partial, path).catch(fail('renamed from .partial'));
      await syncFolder(dirname(path));
    },

    async abort() {
      const open = file;
      file = undefined;
      await open?.close().catch(() => {});
      await rm(partial, { force: true }).catch(fail('cleaned up'));
    },
  };
}

/** Lines of text, some thousands at a time. */
function* rowsOf(table: CellTable): Generator<string> {
  const columns = table.names.map((name) => table.column(name) as Column);
  for (let start = 0; start < table.count; start += ROWS_AT_A_TIME) {
    const stop = Math.min(table.count, start + ROWS_AT_A_TIME);
    let text = '';
    for (let row = start; row < stop; row++) {
      for (let at = 0; at < columns.length; at++) {
        // A number's own text is its shortest decimal that reads back, but for -0, which would lose its sign.
        const value = (columns[at] as Column)[row] as number;
        text += `${at === 0 ? '' : ','}${Object.is(value, -0) ? '-0' : value}`;
      }
      text += '\n';
    }
    yield text;
  }
}

/** Makes the new name last. Some systems cannot open a folder; the name is right there all the same. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close().catch(() => {});
}
