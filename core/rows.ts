import type { SparseStore, Stored } from './sparse.js';

/** Cells as rows of numbers, x, y, z first, in z, y, x order; what a table's columns are made of. */

/** Whether row `i` of `a` comes before row `j` of `b` in z, y, x order; no two cells have the same center. */
function comesBefore(a: Float64Array, i: number, b: Float64Array, j: number): boolean {
  for (const axis of [2, 1, 0]) {
    const difference = (a[i + axis] as number) - (b[j + axis] as number);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** Puts rows of several pieces into one, in order. */
export function sortRows(parts: readonly Float64Array[], width: number): Float64Array {
  const places = parts.flatMap((part) =>
    Array.from({ length: part.length / width }, (_, row) => ({ part, at: row * width })),
  );
  places.sort((a, b) => (comesBefore(a.part, a.at, b.part, b.at) ? -1 : 1));
  const sorted = new Float64Array(places.length * width);
  places.forEach(({ part, at }, row) => {
    sorted.set(part.subarray(at, at + width), row * width);
  });
  return sorted;
}

/** The rows of a block: pieces in order, in memory or spilled, until all are known and they are merged. */
export class BlockRows {
  private readonly parts: Stored[] = [];
  count = 0;

  constructor(
    private readonly store: SparseStore,
    private readonly width: number,
  ) {}

  /** Takes rows in z, y, x order. */
  async add(rows: Float64Array): Promise<void> {
    if (rows.length === 0) return;
    this.count += rows.length / this.width;
    this.parts.push(await this.store.put(new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength)));
  }

  /** Bytes of the windows through which the pieces are merged, `windowRows` rows each. */
  windowBytes(windowRows: number): number {
    return this.parts.length * windowRows * this.width * Float64Array.BYTES_PER_ELEMENT;
  }

  /** All rows in order, up to `chunkRows` at a time but at least once, read `windowRows` rows a piece; they are forgotten. */
  async *merged(chunkRows: number, windowRows: number): AsyncGenerator<Float64Array> {
    const heads: Cursor[] = [];
    for (const part of this.parts.splice(0)) {
      const cursor = new Cursor(part, this.width, windowRows);
      await cursor.load();
      insert(heads, cursor);
    }
    let left = this.count;
    do {
      const chunk = new Float64Array(Math.min(left, chunkRows) * this.width);
      for (let at = 0; at < chunk.length; at += this.width) {
        const first = heads.shift() as Cursor;
        chunk.set(first.row(), at);
        if (first.advance() || (await first.load())) insert(heads, first);
      }
      left -= chunk.length / this.width;
      yield chunk;
    } while (left > 0);
  }
}

/** A place in one piece, and the rows around it that are in memory. */
class Cursor {
  private rows: Float64Array = new Float64Array(0);
  private at = 0;
  private readBytes = 0;

  constructor(
    private readonly part: Stored,
    private readonly width: number,
    private readonly windowRows: number,
  ) {}

  /** Loads the next rows; false, and the piece is let go, when there are none. */
  async load(): Promise<boolean> {
    const most = this.windowRows * this.width * Float64Array.BYTES_PER_ELEMENT;
    const bytes = Math.min(most, this.part.bytes - this.readBytes);
    if (bytes === 0) {
      await this.part.free();
      return false;
    }
    const read = await this.part.read(this.readBytes, bytes);
    this.rows = new Float64Array(read.buffer, read.byteOffset, bytes / Float64Array.BYTES_PER_ELEMENT);
    this.readBytes += bytes;
    this.at = 0;
    return true;
  }

  row(): Float64Array {
    return this.rows.subarray(this.at, this.at + this.width);
  }

  /** Goes to the next row; false when it is not in memory. */
  advance(): boolean {
    this.at += this.width;
    return this.at < this.rows.length;
  }

  isBefore(other: Cursor): boolean {
    return comesBefore(this.rows, this.at, other.rows, other.at);
  }
}

/** Puts a cursor where its row belongs among the others. */
function insert(heads: Cursor[], cursor: Cursor): void {
  let low = 0;
  let high = heads.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cursor.isBefore(heads[middle] as Cursor)) high = middle;
    else low = middle + 1;
  }
  heads.splice(low, 0, cursor);
}
