import { rm } from 'node:fs/promises';
import type { CellTable } from '../core/cellTable.js';
import { OptionError, SinkError } from '../core/errors.js';
import type { RunRecord } from '../core/runRecord.js';
import { describeSystemError } from '../core/systemError.js';
import { AtomicFile } from './atomicFile.js';
import type { CellSink } from './sink.js';

/** A column as a file's header tells it. */
export interface ColumnType {
  readonly name: string;
  /** Whether its values are integers by nature. */
  readonly integer: boolean;
}

/** What tells one format of table files from another. */
export interface TableFormat {
  /** The function that makes such sinks, for its errors. */
  readonly name: string;
  /** What stands before the rows of a table with these columns; `rows` is 0 while they are not counted yet. */
  header(columns: readonly ColumnType[], rows: number): string | Uint8Array;
  /** Whether the header depends on `rows`: then it is written again, in its place and with the same length, at the end. */
  readonly countsRows: boolean;
  /** The rows in pieces, each of a few ms of the JavaScript thread. A piece was written before the next is asked for. */
  rows(table: CellTable): Iterable<string | Uint8Array>;
}

/**
 * A table in a file of some format, and beside it, as `<path>.json`, the record of the run that made it.
 *
 * Both get their names when both are on disk. A record left beside an earlier table goes with that table.
 */
export function tableFile(path: string, format: TableFormat): CellSink {
  if (typeof path !== 'string' || path === '') throw new OptionError(format.name, 'path', 'a file name', path);
  const file = new AtomicFile(path);
  const recordFile = new AtomicFile(`${path}.json`);
  let columns: readonly ColumnType[] | undefined;
  let types = '';
  let rows = 0;

  return {
    async open() {
      await file.open();
      try {
        await recordFile.open();
      } catch (error) {
        await file.abort();
        throw error;
      }
      columns = undefined;
      rows = 0;
    },

    async write(table) {
      if (columns === undefined) {
        const found = columnsOf(table);
        await file.append(format.header(found, 0));
        columns = found;
        types = table.columnTypes;
      }
      checkSameColumns(path, types, table);
      for (const piece of format.rows(table)) await file.append(piece);
      rows += table.count;
    },

    async close(record) {
      const known = columns ?? [];
      if (format.countsRows) await file.writeAt(0, Buffer.from(format.header(known, rows)));
      if (record) await recordFile.append(recordText(record, known, rows));
      await file.store();
      await recordFile.store();
      await rm(recordFile.path, { force: true }).catch((cause: unknown) => {
        throw new SinkError(recordFile.path, `cannot be replaced: ${describeSystemError(cause)}`, { cause });
      });
      await file.close();
      await (record ? recordFile.close() : recordFile.abort());
    },

    async abort() {
      await Promise.all([file.abort(), recordFile.abort()]);
    },
  };
}

/** The columns of a table, as a header tells them. */
function columnsOf(table: CellTable): ColumnType[] {
  return table.names.map((name) => ({ name, integer: table.column(name) instanceof Int32Array }));
}

/** Refuses a table that cannot go below the first. */
export function checkSameColumns(sink: string, first: string, table: CellTable): void {
  if (table.columnTypes === first) return;
  throw new SinkError(sink, `columns changed, expected ${first}, got ${table.columnTypes}`);
}

function recordText(record: RunRecord, columns: readonly ColumnType[], rows: number): string {
  return `${JSON.stringify({ ...record, rows, columns: columns.map(({ name }) => name) }, null, 2)}\n`;
}
