import { type MonoTypeOperatorFunction, map } from 'rxjs';
import type { CellBatch } from '../core/batch.js';
import type { CellTable, Column } from '../core/cellTable.js';
import { OptionError } from '../core/errors.js';
import { checkKeys } from '../core/options.js';
import type { RunRecord } from '../core/runRecord.js';

/** Values from `min`, inclusive, to `max`, exclusive, in the column's unit; a side that is left out or null is open. */
export interface ValueRange {
  readonly min?: number | null;
  readonly max?: number | null;
}

/** What to keep, by column; a number is the least value. */
export type CellRanges = Readonly<Record<string, number | ValueRange>>;

/**
 * Keeps the cells whose values are in the ranges of all columns named: `min <= value < max`.
 *
 * Batches stay batches, those without cells left too, and keep all else that they tell. A value that is no number is in no
 * range that has a side. The record of the run names the ranges, among the parameters.
 *
 * @needs the columns named: `x`, `y`, `z` (voxels), `size` (voxels, after `shape()`), or a measured one
 * @throws {OptionError} at once, if a range is none or its min is above its max; in the stream, if there is no such column
 * @example found.pipe(filterCells({ size: { min: 20, max: 900 }, source: 500 }))
 */
export function filterCells(ranges: CellRanges): MonoTypeOperatorFunction<CellBatch> {
  const bounds = boundsOf(ranges);
  return map((batch) => {
    // A run without any block does not know what would have been measured: its one table has the positions only.
    if (batch.volumeId === '' && batch.cells.count === 0) return batch;
    return { ...batch, cells: within(batch.cells, bounds), record: () => withRanges(batch.record(), ranges) };
  });
}

/**
 * The rows of a table whose values are in the ranges of all columns named, as `filterCells` keeps them.
 *
 * @throws {OptionError} if a range is none, its min is above its max, or there is no such column
 * @example const large = filterTable(await readCells('earlier.csv'), { size: 100 })
 */
export function filterTable(table: CellTable, ranges: CellRanges): CellTable {
  return within(table, boundsOf(ranges));
}

function withRanges(record: RunRecord, ranges: CellRanges): RunRecord {
  const filters = { ...record.parameters.filterCells, ...ranges };
  return { ...record, parameters: { ...record.parameters, filterCells: filters } };
}

interface Bounds {
  readonly column: string;
  readonly min: number | null;
  readonly max: number | null;
}

function boundsOf(ranges: CellRanges): Bounds[] {
  if (!isObject(ranges)) throw new OptionError('filterCells', 'ranges', 'an object with a range a column', ranges);
  return Object.entries(ranges).map(([column, range]) => {
    if (typeof range !== 'number' && !isObject(range)) {
      throw new OptionError('filterCells', column, 'a number or { min, max }', range);
    }
    if (typeof range !== 'number') checkKeys('filterCells', range, ['min', 'max'], column);
    const { min = null, max = null } = typeof range === 'number' ? { min: range } : range;
    for (const [side, value] of Object.entries({ min, max })) {
      if (value !== null && (typeof value !== 'number' || Number.isNaN(value))) {
        throw new OptionError('filterCells', `${column}.${side}`, 'a number or null', value);
      }
    }
    if (min !== null && max !== null && min > max) {
      throw new OptionError('filterCells', `${column}.min`, `at most its max, ${max}`, min);
    }
    return { column, min, max };
  });
}

function within(table: CellTable, bounds: readonly Bounds[]): CellTable {
  const rows = new Uint32Array(table.count);
  for (let row = 0; row < rows.length; row++) rows[row] = row;
  let kept = rows.length;
  for (const { column, min, max } of bounds) {
    const values = table.column(column);
    if (!values) throw new OptionError('filterCells', 'column', `one of ${table.names.join(', ')}`, column);
    if (min !== null) kept = keep(rows, kept, values, (value) => value >= min);
    if (max !== null) kept = keep(rows, kept, values, (value) => value < max);
  }
  return kept === table.count ? table : table.pick(rows.subarray(0, kept));
}

/** Moves the rows that pass to the front, in order, and tells how many they are. */
function keep(rows: Uint32Array, count: number, values: Column, passes: (value: number) => boolean): number {
  let kept = 0;
  for (let at = 0; at < count; at++) {
    const row = rows[at] as number;
    if (passes(values[row] as number)) rows[kept++] = row;
  }
  return kept;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
