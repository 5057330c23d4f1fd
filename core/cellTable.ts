import { extraColumnNames } from './columns.js';
import { OptionError } from './errors.js';

/** A column of a cell table: integers where the values are integers by nature, float64 for measured ones. */
export type Column = Int32Array | Float64Array;

/**
 * Cells, column by column: `x`, `y`, `z` of each center (voxels, in the whole volume), `size` (voxels, after
 * `shape()`), then one float64 column a measured image, then what `cells({ columns })` asked for.
 *
 * @example const { count, names } = CellTable.fromRows(['x', 'y', 'z'], Float64Array.of(4, 5, 6, 7, 8, 9));
 */
export class CellTable {
  constructor(private readonly columns: ReadonlyMap<string, Column>) {}

  /** A table without rows. */
  static empty(names: readonly string[]): CellTable {
    return CellTable.fromRows(names, new Float64Array(0));
  }

  /**
   * Turns rows of `width` numbers, by default as many as names, into columns: the column `names[i]` from the numbers at `places[i]`, by
   * default the i-th.
   */
  static fromRows(
    names: readonly string[],
    rows: Float64Array,
    width: number = names.length,
    places: readonly number[] = names.map((_, at) => at),
  ): CellTable {
    const count = width === 0 ? 0 : rows.length / width;
    const columns = new Map<string, Column>();
    names.forEach((name, i) => {
      const column = integerColumns.has(name) ? new Int32Array(count) : new Float64Array(count);
      const place = places[i] as number;
      for (let row = 0; row < count; row++) column[row] = rows[row * width + place] as number;
      columns.set(name, column);
    });
    return new CellTable(columns);
  }

  /** The same cells with one column more. */
  with(name: string, column: Column): CellTable {
    return new CellTable(new Map([...this.columns, [name, column]]));
  }

  /**
   * The rows of several tables, one table below the other; of no tables, a table without columns.
   *
   * @throws {OptionError} if not all have the columns of the first
   */
  static concat(tables: readonly CellTable[]): CellTable {
    const [first] = tables;
    if (!first || tables.length === 1) return first ?? new CellTable(new Map());
    const stranger = tables.find((table) => table.columnTypes !== first.columnTypes);
    if (stranger)
      throw new OptionError('CellTable.concat', 'tables', `of columns ${first.columnTypes}`, stranger.columnTypes);
    const count = tables.reduce((sum, table) => sum + table.count, 0);
    const columns = new Map<string, Column>();
    for (const [name, like] of first.columns) {
      const column = emptyLike(like, count);
      let at = 0;
      for (const table of tables) {
        column.set(table.columns.get(name) as Column, at);
        at += table.count;
      }
      columns.set(name, column);
    }
    return new CellTable(columns);
  }

  get names(): string[] {
    return [...this.columns.keys()];
  }

  /** How many cells there are. */
  get count(): number {
    for (const column of this.columns.values()) return column.length;
    return 0;
  }

  get bytes(): number {
    let bytes = 0;
    for (const column of this.columns.values()) bytes += column.byteLength;
    return bytes;
  }

  /** The values of one column, undefined where there is no such column. */
  column(name: string): Column | undefined {
    return this.columns.get(name);
  }

  /** Names and types of the columns, in their order: tables of the same columns and types can stand one below the other. */
  get columnTypes(): string {
    return [...this.columns]
      .map(([name, column]) => `${name} ${column instanceof Int32Array ? 'int32' : 'float64'}`)
      .join(', ');
  }

  /** A table of the rows with these indices, in this order. */
  pick(rows: Uint32Array): CellTable {
    const columns = new Map<string, Column>();
    for (const [name, from] of this.columns) {
      const column = emptyLike(from, rows.length);
      for (let to = 0; to < rows.length; to++) column[to] = from[rows[to] as number] as number;
      columns.set(name, column);
    }
    return new CellTable(columns);
  }

  /** One cell as an object; for small tables and for looking at one. */
  row(index: number): Record<string, number> {
    return Object.fromEntries([...this.columns].map(([name, column]) => [name, column[index] as number]));
  }
}

/** The columns whose values are integers by nature. */
export const integerColumns: ReadonlySet<string> = new Set([
  ...['x', 'y', 'z', 'size'],
  ...(['label', 'box', 'flags'] as const).flatMap((name) => extraColumnNames[name]),
]);

function emptyLike(column: Column, count: number): Column {
  return column instanceof Int32Array ? new Int32Array(count) : new Float64Array(count);
}
