import type { CellTable } from './cellTable.js';
import type { Region } from './geometry.js';
import type { RunRecord } from './runRecord.js';

/** A component of the mask that some block still to come may extend, or that waits for its turn in a later batch. */
export interface OpenComponent {
  /** The box of what is known of it. */
  readonly box: Region;
  /** Voxels known of it. */
  readonly voxels: number;
}

/** Cells as they become final: one table after another, in block order. */
export interface CellBatch {
  readonly volumeId: string;
  /** The branch whose table this is a part of; empty where the pipeline has no branches. */
  readonly branch: string;
  /** Cells in z, y, x order within the batch. */
  readonly cells: CellTable;
  /** Every cell of a closed component with z below this plane is out, in this batch or an earlier one. */
  readonly finalTo: number;
  /** Components that reach beyond the blocks that are out. */
  readonly open: readonly OpenComponent[];
  /** Whether this is the last batch; it always comes, with or without cells. */
  readonly last: boolean;
  /**
   * Keeps the batch's bytes on the budget until the returned function is called (again is harmless). While batches are held, `cells()`
   * starts no more work than the budget allows. To be called while the batch is being delivered.
   */
  hold(): () => void;
  /** What the run is and has done so far; with the last batch, all of it. */
  record(): RunRecord;
}
