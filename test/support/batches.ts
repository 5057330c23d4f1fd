import type { CellBatch } from '../../core/batch.js';
import { CellTable } from '../../core/cellTable.js';
import type { RunRecord } from '../../core/runRecord.js';

/** Counts holds, as the budget does. */
export class Holds {
  held = 0;
  most = 0;
  /** Of batches that were released before they were held, or twice. */
  wrong = 0;

  batch(cells: CellTable, last = false, volumeId = 'test', branch = ''): CellBatch {
    return {
      ...{ volumeId, branch, cells, last, finalTo: 0, open: [] },
      record: () => record,
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

/** What a run says of itself. */
export const record: RunRecord = {
  somaflow: '0.0.0',
  node: 'v0.0.0',
  sources: [{ id: 'test', size: { z: 1, y: 2, x: 3 }, dtype: 'uint16', coreSize: { z: 1, y: 2, x: 3 } }],
  parameters: { maxima: { size: { z: 5, y: 5, x: 5 }, threshold: 0 } },
  target: 'portable',
  threads: 1,
  memoryBytes: 1024,
  started: '2020-01-01T00:00:00.000Z',
  seconds: 0.5,
  counts: { blocks: 1, voxels: 6, bytesRead: 12, cells: 2, seams: 0, spilledBytes: 0 },
};

export const names = ['x', 'y', 'z', 'size', 'source'];

/** A table whose rows are told apart by their first value. */
export function table(first: number, count: number): CellTable {
  const rows = Array.from({ length: count }, (_, i) => [first + i, i, 2 * i, 9, (first + i) / 3]);
  return CellTable.fromRows(names, Float64Array.from(rows.flat()), names.length);
}
