import type { CellTable } from '../core/cellTable.js';
import type { RunRecord } from '../core/runRecord.js';

/**
 * Where tables of cells go. `write(sink)` calls `open`, then `write` once a table, then `close` or `abort`; one call at a
 * time, each awaited. After `close` or `abort` a sink may be opened again, as `retry` does, and then starts anew.
 */
export interface CellSink {
  /** Gets ready, so that what would fail at the end of a long run (folder, permission) fails before it. Leaves nothing where it rejects. */
  open(): Promise<void>;
  /** Resolves when the rows are handed to the system. All tables have the same columns, those without rows too. */
  write(table: CellTable): Promise<void>;
  /** Resolves when all is safely stored under its final name, and the record of the run, where there is one, beside it. */
  close(record?: RunRecord): Promise<void>;
  /** Leaves nothing behind. Harmless where nothing is open. */
  abort(): Promise<void>;
}
