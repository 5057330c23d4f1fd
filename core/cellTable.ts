/** A column of a cell table: integers where the values are integers by nature, float64 for measured ones. */
export type Column = Int32Array | Float64Array;

/**
 * Cells, column by column: `x`, `y`, `z` of each center (voxels, in the whole volume), `size` (voxels, after
 * `shape()`), then one float64 column a measured image.
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

  /** One cell as an object; for small tables and for looking at one. */
  row(index: number): Record<string, number> {
    return Object.fromEntries([...this.columns].map(([name, column]) => [name, column[index] as number]));
  }
}

const integerColumns = new Set(['x', 'y', 'z', 'size']);
