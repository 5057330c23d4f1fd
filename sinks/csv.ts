import type { CellTable, Column } from '../core/cellTable.js';
import type { CellSink } from './sink.js';
import { tableFile } from './tableFile.js';

/** Rows made into text at a time: 2 to 5 ms of the JavaScript thread, some 100 kB. */
const ROWS_AT_A_TIME = 2048;

/**
 * A text file of comma-separated values: the names of the columns, then one line a cell.
 *
 * Integers are written plain, other numbers as the shortest decimal that reads back the same. The file grows as
 * `<path>.partial`, and gets its name, replacing what had it, when it is complete and on disk; the record of the run is
 * beside it as `<path>.json`. A stream that ends without any batch leaves an empty file, since only batches know the columns.
 *
 * @throws {OptionError} at once, if the path is empty
 * @throws {SinkError} when opened, if the folder is missing or cannot be written, or the path is a folder; when written,
 * if the disk is full or the columns change
 * @example found.pipe(write(csv('cells.csv')))
 */
export function csv(path: string): CellSink {
  return tableFile(path, {
    name: 'csv',
    header: (columns) => `${columns.map(({ name }) => name).join(',')}\n`,
    countsRows: false,
    rows: linesOf,
  });
}

/** Lines of text, some thousands at a time. */
function* linesOf(table: CellTable): Generator<string> {
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
