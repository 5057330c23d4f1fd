import { CellTable } from '../core/cellTable.js';
import { OptionError, SinkError } from '../core/errors.js';
import type { RunRecord } from '../core/runRecord.js';
import type { CellSink } from './sink.js';
import { checkSameColumns } from './tableFile.js';

/** A sink that keeps what it was given. */
export interface CollectSink extends CellSink {
  /**
   * All cells, batch after batch.
   * @throws {OptionError} before the stream has completed
   */
  readonly table: CellTable;
  /** The record of the run, undefined before the stream has completed. */
  readonly record: RunRecord | undefined;
}

/**
 * Keeps all cells in memory, 4 bytes a cell for each integer column and 8 for each measured one, outside of the run's budget.
 *
 * The table is there when the stream has completed. What comes again, after `retry`, replaces what was there.
 *
 * @throws {SinkError} when opened for a second stream while the first still runs; when written, if the columns change
 * @example
 * const sink = collect();
 * await lastValueFrom(found.pipe(write(sink)));
 * const { count } = sink.table;
 */
export function collect(): CollectSink {
  let parts: CellTable[] | undefined;
  let whole: { readonly table: CellTable; readonly record: RunRecord | undefined } | undefined;

  const collecting = (before: string) => {
    if (!parts) throw new SinkError('collect', `is not open, expected open() before ${before}`);
    return parts;
  };

  return {
    get table() {
      if (whole) return whole.table;
      const state = parts ? 'a stream that still runs' : 'no stream that has completed';
      throw new OptionError('collect', 'table', 'read when the stream has completed', state);
    },
    get record() {
      return whole?.record;
    },
    async open() {
      if (parts) throw new SinkError('collect', 'is being written already, expected one stream a sink');
      whole = undefined;
      parts = [];
    },
    async write(table) {
      const all = collecting('write()');
      if (all[0]) checkSameColumns('collect', all[0].columnTypes, table);
      // The columns are known by any one table; more of the empty ones would only take room.
      if (all.length === 0 || table.count > 0) all.push(table);
    },
    async close(record) {
      whole = { table: CellTable.concat(collecting('close()')), record };
      parts = undefined;
    },
    async abort() {
      parts = undefined;
    },
  };
}
