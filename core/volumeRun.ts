import type { DetectorOutput } from '../native/index.js';
import { Arrivals } from './arrivals.js';
import type { CellBatch } from './batch.js';
import type { AnyBlock } from './block.js';
import type { BranchPlan } from './branchPlan.js';
import type { Budget } from './budget.js';
import { ChainPlan, checkBlock, firstPlaneNeeded, LEAST_SPARSE_BYTES, type Wanted } from './chainPlan.js';
import type { ExtraColumn } from './columns.js';
import { Delivery } from './delivery.js';
import { BudgetError, OptionError } from './errors.js';
import { Floods } from './floods.js';
import { BlockFragments, type Component } from './fragments.js';
import type { ImageRequest } from './images.js';
import { LabelImage } from './labelImage.js';
import { Labels } from './labels.js';
import type { Lanes } from './lanes.js';
import type { ProgressCounter } from './progress.js';
import type { RecordedSource, RunRecord } from './runRecord.js';
import { SavedImages, type WrittenImage } from './savedImages.js';
import { Seams } from './seams.js';
import type { SparseStore } from './sparse.js';
import type { Target } from './target.js';
import { VoxelMeasures } from './voxelMeasures.js';

export interface RunOptions {
  readonly budget: Budget;
  readonly threads: number;
  readonly target: Target;
  readonly order: 'index' | 'any';
  readonly maxComponentVoxels: number;
  readonly wanted: Wanted;
  readonly columns: readonly ExtraColumn[];
}

/** Where batches and the error that ends a run go. */
export interface BatchObserver {
  next(batch: CellBatch): void;
  error(error: unknown): void;
}

/** What all volumes of a run have in common. */
export interface RunParts {
  readonly options: RunOptions;
  readonly store: SparseStore;
  /** For what stays to the end of the run. */
  readonly lasting: SparseStore;
  readonly lanes: Lanes;
  readonly counter: ProgressCounter;
  readonly subscriber: BatchObserver;
  readonly signal: AbortSignal;
  readonly fail: (error: unknown) => void;
  readonly record: (branch: BranchPlan) => RunRecord;
  readonly hasVolumeColumn: () => boolean;
  /** Whether nothing that came before this volume is still to be delivered. */
  readonly isItsTurn: (volume: VolumeRun) => boolean;
  /** Told whenever a block's cells are out. */
  readonly blockIsOut: () => void;
}

/** Voxels of a plane from which on one block alone keeps all threads busy: as many as threads would take too much memory. */
const WIDE_PLANE_VOXELS = 2 * 1024 * 1024;

/** One table of one volume on its way out. */
interface Table {
  readonly branch: BranchPlan;
  readonly delivery: Delivery;
  readonly floods: Floods;
  readonly seams: Seams;
  readonly labels: Labels | null;
  /** What has the cells measured by users' functions. */
  readonly measures: VoxelMeasures;
  /** The place among what is saved of the image of its labels. */
  readonly image: number | null;
}

/** One volume of a run: its first block decides chain and layout; what its blocks find is joined and delivered here. */
export class VolumeRun {
  readonly chain: ChainPlan;
  readonly request: ImageRequest;
  readonly arrivals: Arrivals;
  readonly saved: SavedImages;
  readonly blocksAtATime: number;
  /** Blocks under way, and the first plane that each still reads. */
  readonly running = new Map<AnyBlock, number>();
  /** The numbers of its first and latest block among those of all volumes, counted from 1 as they came. */
  firstArrival = 0;
  lastArrival = 0;
  private newest: AnyBlock;
  private readonly tables: readonly Table[];

  constructor(
    readonly first: AnyBlock,
    /** Its place among the volumes, in the order in which they came. */
    private readonly number: number,
    private readonly parts: RunParts,
  ) {
    const { budget, target, threads, order, wanted, columns } = parts.options;
    if (budget.sparse.capacityBytes < LEAST_SPARSE_BYTES) {
      const advice = 'half of a budget is for sparse data; give it more memory';
      throw new BudgetError('sparse data', LEAST_SPARSE_BYTES, budget.sparse.capacityBytes, advice);
    }
    if (first.volume.keepsPlanes !== undefined && order === 'any') {
      throw new OptionError('cells', 'order', `'index' for ${first.volume.id}, which keeps only so many planes`, 'any');
    }
    this.newest = first;
    this.arrivals = new Arrivals(order);
    this.chain = new ChainPlan(first, wanted, columns);
    this.request = this.chain.request(first, target, budget.sparse, threads);
    checkBlock(this.chain, first, this.request, budget.images.capacityBytes);
    const written: WrittenImage[] = [...this.chain.saves];
    this.tables = this.chain.branches.map((branch) => {
      const { labelSinks: sinks } = branch;
      return this.table(branch, sinks.length > 0 ? written.push({ dtype: 'uint32', sinks }) - 1 : null);
    });
    this.saved = new SavedImages(first, written);
    const { y, x } = first.layout.coreSize;
    this.blocksAtATime = y * x >= WIDE_PLANE_VOXELS ? 2 : threads + 1;
  }

  /** Takes a description; false if it is a repeat. Throws what makes it impossible. */
  take(block: AnyBlock, arrival: number): boolean {
    if (!this.arrivals.take(block)) return false;
    this.firstArrival ||= arrival;
    this.lastArrival = arrival;
    this.newest = block;
    return true;
  }

  /** What each push of a block leaves goes into the fragments of the block, one a table, and to the deliveries. */
  collector(block: AnyBlock) {
    const fragments = this.tables.map(() => new BlockFragments(block.index, this.parts.store));
    const output = async (outputs: readonly DetectorOutput[]) => {
      for (const [at, { branch, delivery, labels, measures }] of this.tables.entries()) {
        const { rows, cellRuns, cellValues, ...sparse } = outputs[at] as DetectorOutput;
        await (fragments[at] as BlockFragments).add(sparse);
        await measures.add(rows, { runs: cellRuns, values: cellValues });
        const numbered = await labels?.add(rows);
        if (numbered !== undefined) await labels?.image?.add(cellRuns, numbered);
        await delivery.rows(block.index, rows);
        this.parts.counter.found(rows.length / branch.rowWidth);
      }
    };
    return { fragments, output };
  }

  /** Brings a block that ended to the seams, or one in which nothing can be: then without fragments. */
  async ended({ index, core }: AnyBlock, fragments?: readonly BlockFragments[]): Promise<void> {
    this.saved.reach(core.stop.z);
    for (const [at, { seams, floods, delivery }] of this.tables.entries()) {
      if (fragments) await seams.add(index, fragments[at] as BlockFragments);
      else await seams.skip(index);
      delivery.done(index, core.stop.z);
      await floods.drain();
      delivery.advance();
    }
  }

  /** Blocks that were left out count as outside the mask. */
  async skip(left: readonly number[]): Promise<void> {
    for (const { seams, floods, delivery } of this.tables) {
      for (const index of left) await seams.skip(index);
      await floods.drain();
      delivery.advance();
    }
  }

  /** Joins and delivers all that is left. */
  async finish(): Promise<void> {
    for (const { seams, floods, delivery, labels, image } of this.tables) {
      await seams.end();
      await floods.drain();
      try {
        await labels?.rank();
        await delivery.end();
        await labels?.paint(this.saved.depth, async (region, voxels) => {
          if (image !== null) await this.saved.write(image, region, voxels);
        });
      } finally {
        labels?.free();
      }
    }
    await this.saved.close();
  }

  /** Delivers the last batch of each table. */
  async last(): Promise<void> {
    for (const { delivery } of this.tables) await delivery.last();
  }

  advance(): void {
    for (const { delivery } of this.tables) delivery.advance();
  }

  /** Resolves when all that can be delivered is. */
  async caughtUp(): Promise<void> {
    for (const { delivery } of this.tables) await delivery.caughtUp();
  }

  /** The columns of each table, as errors name them. */
  get columns(): string {
    return this.chain.branches.map(({ name, columns }) => `${name && `${name}: `}${columns.join(', ')}`).join('; ');
  }

  /** Whether all its blocks came, and their cells are out. */
  get isOut(): boolean {
    const { z, y, x } = this.first.layout.counts;
    const all = this.arrivals.hasEnded || (z !== null && this.arrivals.areAllIn(z * y * x));
    return all && this.tables.every(({ delivery }) => delivery.count === this.arrivals.count);
  }

  /** Tells the sources which planes nobody reads again; blocks in the queue still will. */
  release(queue: readonly AnyBlock[]): void {
    const { chain, first } = this;
    let needed = firstPlaneNeeded(chain, this.newest, false);
    for (const block of queue) {
      if (block.volume === first.volume) needed = Math.min(needed, firstPlaneNeeded(chain, block, true));
    }
    for (const [block, nextPlane] of this.running) {
      needed = Math.min(needed, Math.max(nextPlane, firstPlaneNeeded(chain, block, true)));
    }
    for (const { volume } of chain.inputs(first)) volume.release?.(needed);
  }

  describe(): RecordedSource {
    const { volume, layout, mask } = this.first;
    const { id, size, dtype, voxelSizeUm } = volume;
    const { start, stop, coreSize } = layout;
    const whole = (['z', 'y', 'x'] as const).every((a) => start[a] === 0 && stop[a] === size[a]);
    return {
      ...{ id, size, dtype, coreSize },
      ...(voxelSizeUm ? { voxelSizeUm } : {}),
      ...(whole || stop.z === null ? {} : { region: { start, stop: { ...stop, z: stop.z } } }),
      ...(mask ? { mask: mask.id } : {}),
    };
  }

  private table(branch: BranchPlan, image: number | null): Table {
    const { options, store, lasting, lanes, counter, subscriber, signal, fail, record, hasVolumeColumn } = this.parts;
    const { budget, maxComponentVoxels } = options;
    const labels = this.labelsOf(branch);
    const measures = new VoxelMeasures(branch, this.first.volume.id, signal);
    // A row that is to have a label waits for the last cell.
    const waits = branch.labelPlace !== null;
    const delivery: Delivery = new Delivery({
      branch,
      block: this.first,
      memory: budget.sparse,
      store: waits ? lasting : store,
      next: (batch) => subscriber.next(batch),
      signal,
      volumeNumber: () => (hasVolumeColumn() ? this.number : undefined),
      complete: async (rows) => labels?.relabel(rows),
      isItsTurn: () => !(waits && !labels?.areKnown) && this.parts.isItsTurn(this),
      isClosed: (index) => this.arrivals.isClosed(index),
      isUnsettled: (index) => seams.isUnsettled(index),
      openBeyond: (index) => seams.openBeyond(index),
      record: () => record(branch),
      delivered: (cells) => counter.delivered(cells, branch.name),
      blockIsOut: this.parts.blockIsOut,
      failed: fail,
    });
    const floods = new Floods({
      memory: budget.sparse,
      lanes,
      rules: branch.rules,
      rowWidth: branch.rowWidth,
      volume: this.first.volume.size,
      signal,
      labels,
      measures,
      deliver: (index, rows) => delivery.rows(index, rows),
      settled: (component) => seams.settle(component),
    });
    const complete = (component: Component) => {
      if (component.blocks.size > 1) counter.joined(component.blocks.size);
      floods.add(component);
    };
    const { maskThreshold } = branch;
    const seams = new Seams({ layout: this.first.layout, maskThreshold, maxComponentVoxels, complete });
    return { branch, delivery, floods, seams, labels, measures, image };
  }

  /** What labels the cells of a table, where a column or an image is of them. */
  private labelsOf({ labelPlace, labelSinks, rowWidth }: BranchPlan): Labels | null {
    if (labelPlace === null && labelSinks.length === 0) return null;
    const { options, lasting: store, lanes, signal } = this.parts;
    const { budget } = options;
    const { layout, volume } = this.first;
    const image = labelSinks.length > 0 ? new LabelImage({ layout, budget, store, lanes, signal }) : null;
    const memory = budget.sparse;
    return new Labels({ plane: volume.size, rowWidth, place: labelPlace, image, store, memory, lanes, signal });
  }
}
