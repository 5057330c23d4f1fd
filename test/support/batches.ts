import type { CellBatch } from '../../core/batch.js';
import { CellTable } from '../../core/cellTable.js';

/** Counts holds, as the budget does. */
export class Holds {
  held = 0;
  most = 0;
  /** Of batches that were released before they were held, or twice. */
  wrong = 0;

  batch(cells: CellTable, last = false, volumeId = 'test'): CellBatch {
    return {
      ...{ volumeId, cells, last, finalTo: 0, open: [] },
      hold: () => {
        let released = false;
        this.held++;
        this.most = Math.max(this.most, this.held);
        return () => {
          if (released) this.wrong++;
          released = true;
          this.held--;
        };
      },
    };
  }
}

export const names = ['x', 'y', 'z', 'size', 'source'];

/** A table whose rows are told apart by their first value. */
export function table(first: number, count: number): CellTable {
  const rows = Array.from({ length: count }, (_, i) => [first + i, i, 2 * i, 9, (first + i) / 3]);
  return CellTable.fromRows(names, Float64Array.from(rows.flat()), names.length);
}
