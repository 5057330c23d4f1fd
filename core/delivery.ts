import type { CellBatch, OpenComponent } from './batch.js';
import type { AnyBlock } from './block.js';
import type { BranchPlan } from './branchPlan.js';
import { CellTable } from './cellTable.js';
import { placeOf } from './layout.js';
import { BlockRows } from './rows.js';
import type { RunRecord } from './runRecord.js';
import type { SparseMemory, SparseStore } from './sparse.js';

export interface DeliveryOptions {
  readonly branch: BranchPlan;
  /** The first block: of its volume and layout are all. */
  readonly block: AnyBlock;
  readonly memory: SparseMemory;
  readonly store: SparseStore;
  readonly next: (batch: CellBatch) => void;
  readonly signal: AbortSignal;
  /** The number of the volume, where the table has a column of it. */
  readonly volumeNumber: () => number | undefined;
  /** Fills in, in rows that are about to leave, what was not known before. */
  readonly complete: (rows: Float64Array) => Promise<void>;
  /** Whether it is this volume's turn: those that came before it are out, and nothing is missing in its rows. */
  readonly isItsTurn: () => boolean;
  /** Whether a block that has not come never will. */
  readonly isClosed: (index: number) => boolean;
  /** Whether a component that ends in the block has not been delivered here. */
  readonly isUnsettled: (index: number) => boolean;
  readonly openBeyond: (index: number) => OpenComponent[];
  readonly record: () => RunRecord;
  readonly delivered: (cells: number) => void;
  /** Told when all cells of a block are out. */
  readonly blockIsOut: () => void;
  readonly failed: (error: unknown) => void;
}

/** Rows of a batch at most, so that a consumer gets them in pieces it can handle. */
const MOST_BATCH_ROWS = 65536;

/** Collects the cells of blocks and delivers them as batches, in block order, no faster than the consumer lets go of them. */
export class Delivery {
  private readonly ofBlock = new Map<number, BlockRows>();
  private readonly ended = new Map<number, number>();
  private next = 0;
  private depth = 0;
  private finalTo = 0;
  private work: Promise<void> = Promise.resolve();
  private busy = false;
  private again = false;
  /** Blocks whose cells are out. */
  count = 0;

  constructor(private readonly options: DeliveryOptions) {}

  /** The last batch of a run without blocks. */
  static nothing(record: () => RunRecord): CellBatch {
    return {
      volumeId: '',
      branch: '',
      cells: CellTable.empty(['x', 'y', 'z']),
      finalTo: 0,
      open: [],
      last: true,
      hold: () => () => {},
      record,
    };
  }

  /** Takes cells that belong to a block, in z, y, x order. */
  async rows(index: number, rows: Float64Array): Promise<void> {
    let of = this.ofBlock.get(index);
    if (!of) {
      of = new BlockRows(this.options.store, this.options.branch.rowWidth);
      this.ofBlock.set(index, of);
    }
    await of.add(rows);
  }

  /** Says that a block's own chain has ended, and at which plane its core does. */
  done(index: number, stopZ: number): void {
    this.ended.set(index, stopZ);
  }

  /** Resolves when all that can be delivered is: not before the consumer has made room for it. */
  async caughtUp(): Promise<void> {
    await this.work;
  }

  /** Delivers what has become deliverable, in the background. */
  advance(): void {
    this.again = true;
    if (this.busy) return;
    this.busy = true;
    this.work = (async () => {
      try {
        while (this.again) {
          this.again = false;
          await this.deliverAll();
        }
      } catch (error) {
        this.options.failed(error);
      } finally {
        this.busy = false;
      }
    })();
  }

  /** Delivers all that is left. */
  async end(): Promise<void> {
    this.advance();
    await this.work;
    this.options.signal.throwIfAborted();
  }

  /** Delivers the last batch of a run, in which no cells are. */
  async last(): Promise<void> {
    const { layout } = this.options.block;
    this.finalTo = layout.stop.z ?? this.depth;
    await this.deliver(new Float64Array(0), [], true);
  }

  private async deliverAll(): Promise<void> {
    const { signal, isItsTurn, isClosed, isUnsettled } = this.options;
    for (; this.ended.size > 0 && !signal.aborted && isItsTurn(); this.next++) {
      const stopZ = this.ended.get(this.next);
      if (stopZ === undefined) {
        if (!isClosed(this.next)) return;
        continue;
      }
      if (isUnsettled(this.next)) return;
      await this.deliverBlock(this.next, stopZ);
      this.ended.delete(this.next);
      this.count++;
      this.options.blockIsOut();
    }
  }

  private async deliverBlock(index: number, stopZ: number): Promise<void> {
    const { memory, branch, block, store, signal, openBeyond } = this.options;
    const rows = this.ofBlock.get(index) ?? new BlockRows(store, branch.rowWidth);
    this.ofBlock.delete(index);
    const rowBytes = Math.max(branch.rowWidth, branch.columns.length) * Float64Array.BYTES_PER_ELEMENT;
    const chunkRows = Math.max(1, Math.min(MOST_BATCH_ROWS, Math.floor(memory.batches.capacityBytes / 4 / rowBytes)));
    const windowRows = Math.max(1, Math.floor(memory.merges.capacityBytes / Math.max(1, rows.windowBytes(1))));
    const windowBytes = Math.min(rows.windowBytes(Math.min(windowRows, rows.count)), memory.merges.capacityBytes);
    const give = await memory.merges.take(windowBytes, signal);
    try {
      let left = rows.count;
      for await (const chunk of rows.merged(chunkRows, windowRows)) {
        left -= chunk.length / branch.rowWidth;
        if (left === 0) {
          this.depth = Math.max(this.depth, stopZ);
          const { layout } = block;
          const nextSlab = layout.origin.z + placeOf(layout, index + 1).z * layout.coreSize.z;
          this.finalTo = Math.min(nextSlab, this.depth);
        }
        await this.deliver(chunk, openBeyond(left === 0 ? index : index - 1), false);
      }
    } finally {
      give();
    }
  }

  private async deliver(rows: Float64Array, open: readonly OpenComponent[], last: boolean): Promise<void> {
    const { memory, branch, block, next, signal, record, delivered, complete } = this.options;
    await complete(rows);
    const table = CellTable.fromRows(branch.columns, rows, branch.rowWidth, branch.places);
    const volume = this.options.volumeNumber();
    const cells = volume === undefined ? table : table.with('volume', new Int32Array(table.count).fill(volume));
    const give = await memory.batches.take(cells.bytes, signal);
    let holders = 1;
    const letGo = () => {
      if (--holders === 0) give();
    };
    const hold = () => {
      if (holders === 0) return () => {};
      holders++;
      let held = true;
      return () => {
        if (held) letGo();
        held = false;
      };
    };
    delivered(cells.count);
    const { id } = block.volume;
    next({ volumeId: id, branch: branch.name, cells, finalTo: this.finalTo, open, last, hold, record });
    letGo();
  }
}
