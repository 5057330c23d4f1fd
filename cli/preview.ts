import type { CellSink } from '../sinks/sink.js';

/** Rows that are kept to be shown. */
const SHOWN = 3;

/** A sink that counts the cells and keeps the first ones, for the summary. */
export class Preview implements CellSink {
  count = 0;
  readonly first: Record<string, number>[] = [];

  async open(): Promise<void> {}

  async write(cells: Parameters<CellSink['write']>[0]): Promise<void> {
    this.count += cells.count;
    for (let row = 0; this.first.length < SHOWN && row < cells.count; row++) this.first.push(cells.row(row));
  }

  async close(): Promise<void> {}

  async abort(): Promise<void> {}
}
