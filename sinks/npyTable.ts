import type { CellTable, Column } from '../core/cellTable.js';
import { BYTE_ORDER, npyHeader, pythonString } from './npyHeader.js';
import type { CellSink } from './sink.js';
import { tableFile } from './tableFile.js';

/** Rows made into bytes at a time: well below a ms of the JavaScript thread, some 400 kB. */
const ROWS_AT_A_TIME = 8192;

/** Which of the two 32-bit words of a 64-bit one is the lower. */
const [LOW, HIGH] = BYTE_ORDER === '<' ? ([0, 1] as const) : ([1, 0] as const);

/**
 * A structured NumPy array in an NPY file, as ClearMap writes its cells: a field a column, in the table's order.
 *
 * `np.load` gives an array of shape (cells,), its dtype `[('x', '<i8'), ('y', '<i8'), ('z', '<i8'), ('size', '<i8'),
 * ('source', '<f8'), ...]`: int64 for integer columns, float64 for measured ones. The file grows as `<path>.partial`, and gets
 * its name, replacing what had it, when it is complete and on disk; the record of the run is beside it as `<path>.json`.
 * Memory does not depend on the number of cells.
 *
 * @throws {OptionError} at once, if the path is empty
 * @throws {SinkError} when opened, if the folder is missing or cannot be written, or the path is a folder; when written,
 * if the disk is full, the columns change, or a column's name has quotes or backslashes
 * @example found.pipe(write(npyTable('cells.npy')))
 */
export function npyTable(path: string): CellSink {
  return tableFile(path, {
    name: 'npyTable',
    header(columns, rows) {
      const fields = columns.map(
        ({ name, integer }) => `(${pythonString(path, name)}, '${BYTE_ORDER}${integer ? 'i8' : 'f8'}')`,
      );
      return npyHeader(path, `[${fields.join(', ')}]`, [rows]);
    },
    countsRows: true,
    rows: recordsOf,
  });
}

/** Records of 8 bytes a field, some thousands at a time, in memory that the next piece takes over. */
function* recordsOf(table: CellTable): Generator<Uint8Array> {
  const columns = table.names.map((name) => table.column(name) as Column);
  const width = columns.length;
  const numbers = new Float64Array(Math.min(table.count, ROWS_AT_A_TIME) * width);
  const words = new Int32Array(numbers.buffer);
  for (let start = 0; start < table.count; start += ROWS_AT_A_TIME) {
    const rows = Math.min(ROWS_AT_A_TIME, table.count - start);
    columns.forEach((column, at) => {
      if (column instanceof Int32Array) putIntegers(column.subarray(start, start + rows), words, at, width);
      else putNumbers(column.subarray(start, start + rows), numbers, at, width);
    });
    yield new Uint8Array(numbers.buffer, 0, rows * width * numbers.BYTES_PER_ELEMENT);
  }
}

/** Widens to int64 as two words: ten times as fast as a BigInt for each value. */
function putIntegers(column: Int32Array, words: Int32Array, at: number, width: number): void {
  for (let row = 0, to = 2 * at; row < column.length; row++, to += 2 * width) {
    const value = column[row] as number;
    words[to + LOW] = value;
    words[to + HIGH] = value < 0 ? -1 : 0;
  }
}

function putNumbers(column: Float64Array, numbers: Float64Array, at: number, width: number): void {
  for (let row = 0, to = at; row < column.length; row++, to += width) numbers[to] = column[row] as number;
}
