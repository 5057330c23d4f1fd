import type { Subscriber } from 'rxjs';
import { Arrivals } from './arrivals.js';
import type { CellBatch } from './batch.js';
import type { AnyBlock } from './block.js';
import { runBlock } from './blockRun.js';
import type { Budget } from './budget.js';
import { ChainPlan, checkBlock, firstPlaneNeeded, LEAST_SPARSE_BYTES } from './chainPlan.js';
import { Delivery } from './delivery.js';
import { BlockError, BudgetError, OptionError } from './errors.js';
import { Floods } from './floods.js';
import { BlockFragments, type Component } from './fragments.js';
import { voxelCount } from './geometry.js';
import type { ImageGrant, ImageRequest } from './images.js';
import { Lanes } from './lanes.js';
import { type Progress, ProgressCounter } from './progress.js';
import type { RunRecord } from './runRecord.js';
import { Seams } from './seams.js';
import { SparseStore } from './sparse.js';
import type { Target } from './target.js';
import { version } from './version.js';

export interface RunOptions {
  readonly budget: Budget;
  readonly threads: number;
  readonly target: Target;
  readonly order: 'index' | 'any';
  readonly maxComponentVoxels: number;
  readonly progress: (progress: Progress) => void;
}

/** Voxels of a plane from which on one block alone keeps all threads busy. */
const WIDE_PLANE_VOXELS = 512 * 1024;

/**
 * One run of a pipeline: takes blocks as they are described, admits them as memory allows, runs their chains, joins
 * what crosses cores and delivers tables in block order. The first block decides what the run is about.
 */
export class Run {
  private readonly abort = new AbortController();
  private readonly store: SparseStore;
  private readonly lanes: Lanes;
  private readonly counter: ProgressCounter;
  private readonly queue: AnyBlock[] = [];
  private readonly arrivals: Arrivals;
  private readonly tasks = new Set<Promise<void>>();
  private readonly running = new Map<AnyBlock, { nextPlane: number }>();
  private about: RunContext | undefined;
  private newest: AnyBlock | undefined;
  private readonly started = new Date();
  private wake = () => {};
  /** Seams are worked on by one block at a time. */
  private seamTurn: Promise<void> = Promise.resolve();

  constructor(
    private readonly options: RunOptions,
    private readonly subscriber: Subscriber<CellBatch>,
  ) {
    this.store = new SparseStore(options.budget.sparse);
    this.arrivals = new Arrivals(options.order);
    this.lanes = new Lanes(options.threads);
    this.counter = new ProgressCounter(
      options.threads,
      options.target,
      () => this.store.spilledBytes,
      options.progress,
    );
  }

  /** Takes the next description. Throws what makes it impossible. */
  add(block: AnyBlock): void {
    if (!this.arrivals.take(block)) return;
    this.about ??= this.begin(block);
    this.newest = block;
    this.counter.known();
    this.queue.push(block);
    this.skip(this.arrivals.skippedBefore(block), this.about);
    this.wake();
  }

  /** Says that no more blocks come. */
  end(): void {
    this.arrivals.end();
    this.wake();
  }

  /** Stops everything; `settled` then resolves once nothing is under way. */
  cancel(): void {
    this.abort.abort(new Error('cancelled'));
    this.wake();
  }

  /** Runs until all is delivered. Rejects with what went wrong; in any case nothing is under way afterwards. */
  async work(): Promise<void> {
    try {
      await this.admitAll();
      this.abort.signal.throwIfAborted();
      await this.finish();
    } finally {
      this.abort.abort(new Error('ended'));
      await Promise.allSettled([...this.tasks]);
      await this.seamTurn.catch(() => {});
      await this.about?.delivery.caughtUp();
      await this.store.close();
    }
  }

  /** Starts blocks, in the order in which they came, as long as there is memory and the consumer keeps up. */
  private async admitAll(): Promise<void> {
    const { signal } = this.abort;
    for (;;) {
      // It stays in the queue until it runs: what it will read must not be released before.
      const [block] = this.queue;
      if (!block) {
        if (this.arrivals.hasEnded) break;
        await this.change();
        continue;
      }
      const about = this.about as RunContext;
      await about.delivery.caughtUp();
      while (this.tasks.size >= about.blocksAtATime) await this.change();
      const grant = await this.options.budget.images.admit(about.request, signal);
      if (signal.aborted) grant.release();
      signal.throwIfAborted();
      this.queue.shift();
      const task: Promise<void> = this.runOne(block, about, grant)
        .catch((error) => this.fail(error))
        .finally(() => {
          this.tasks.delete(task);
          this.wake();
        });
      this.tasks.add(task);
    }
    while (this.tasks.size > 0) await this.change();
    signal.throwIfAborted();
  }

  private async runOne(block: AnyBlock, about: RunContext, grant: ImageGrant) {
    const fragments = new BlockFragments(block.index, this.store);
    const place = { nextPlane: 0 };
    this.running.set(block, place);
    try {
      await runBlock({
        block,
        chain: about.chain,
        config: about.chain.config(block, this.options.target, this.options.budget.sparse),
        grant,
        lanes: this.lanes,
        width: () => Math.ceil(this.options.threads / Math.max(1, this.running.size)),
        signal: this.abort.signal,
        output: async (output) => {
          await fragments.add(output);
          await about.delivery.rows(block.index, output.rows);
          this.counter.found(output.rows.length / about.chain.rowWidth);
        },
        reading: (_region, bytes) => this.counter.read(bytes),
        passed: (nextPlane) => {
          place.nextPlane = nextPlane;
          this.release(about);
        },
      });
    } catch (error) {
      if (this.abort.signal.aborted || error instanceof BlockError) throw error;
      throw new BlockError(block.volume.id, block.core, error);
    } finally {
      grant.release();
      this.running.delete(block);
    }
    this.release(about);
    this.counter.finished(voxelCount(block.core));
    // Its place is free only now, so that what was found cannot pile up before the seams.
    await this.inTurn(async () => {
      await about.seams.add(block.index, fragments);
      about.delivery.done(block.index, block.core.stop.z);
      await about.floods.drain();
      about.delivery.advance();
    });
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    this.seamTurn = this.seamTurn.then(async () => {
      if (this.abort.signal.aborted) return;
      await work().catch((error) => this.fail(error));
    });
    return this.seamTurn;
  }

  private async finish(): Promise<void> {
    if (!this.about) {
      this.subscriber.next(Delivery.nothing(() => this.record()));
      return;
    }
    const { seams, floods, delivery } = this.about;
    await seams.end();
    await floods.drain();
    await delivery.end();
    this.abort.signal.throwIfAborted();
  }

  private begin(block: AnyBlock): RunContext {
    const { budget, target, threads, maxComponentVoxels } = this.options;
    if (budget.sparse.capacityBytes < LEAST_SPARSE_BYTES) {
      const advice = 'half of a budget is for sparse data; give it more memory';
      throw new BudgetError('sparse data', LEAST_SPARSE_BYTES, budget.sparse.capacityBytes, advice);
    }
    if (block.volume.keepsPlanes !== undefined && this.options.order === 'any') {
      throw new OptionError('cells', 'order', `'index' for ${block.volume.id}, which keeps only so many planes`, 'any');
    }
    const chain = new ChainPlan(block.plans);
    const request = chain.request(block, target, budget.sparse, threads);
    checkBlock(chain, block, request, budget.images.capacityBytes);
    const delivery: Delivery = new Delivery({
      chain,
      block,
      memory: budget.sparse,
      store: this.store,
      subscriber: this.subscriber,
      signal: this.abort.signal,
      isClosed: (index) => this.arrivals.isClosed(index),
      isUnsettled: (index) => seams.isUnsettled(index),
      openBeyond: (index) => seams.openBeyond(index),
      record: () => this.record(),
      delivered: (cells) => this.counter.delivered(cells),
      failed: (error) => this.fail(error),
    });
    const floods = new Floods({
      memory: budget.sparse,
      lanes: this.lanes,
      channels: chain.channels,
      rowWidth: chain.rowWidth,
      signal: this.abort.signal,
      deliver: (index, rows) => delivery.rows(index, rows),
      settled: (component) => seams.settle(component),
    });
    const complete = (component: Component) => {
      if (component.blocks.size > 1) this.counter.joined(component.blocks.size);
      floods.add(component);
    };
    const seams = new Seams({
      layout: block.layout,
      maskThreshold: chain.maskThreshold,
      maxComponentVoxels,
      complete,
    });
    const wide = block.layout.coreSize.y * block.layout.coreSize.x >= WIDE_PLANE_VOXELS;
    return { first: block, chain, request, delivery, floods, seams, blocksAtATime: wide ? 2 : threads + 1 };
  }

  /** Blocks that were left out count as outside the mask. */
  private skip(left: readonly number[], { seams, floods, delivery }: RunContext): void {
    if (left.length === 0) return;
    this.inTurn(async () => {
      for (const index of left) await seams.skip(index);
      await floods.drain();
      delivery.advance();
    });
  }

  /** Tells the source which planes nobody reads again. */
  private release({ chain, first }: RunContext): void {
    if (!first.volume.release || !this.newest) return;
    let needed = firstPlaneNeeded(chain, this.newest, false);
    for (const block of this.queue) needed = Math.min(needed, firstPlaneNeeded(chain, block, true));
    for (const [block, { nextPlane }] of this.running) {
      needed = Math.min(needed, Math.max(nextPlane, firstPlaneNeeded(chain, block, true)));
    }
    first.volume.release(needed);
  }

  private record(): RunRecord {
    const { target, threads, budget } = this.options;
    const { volume, layout, plans } = this.about?.first ?? {};
    const { id = '', size, dtype, voxelSizeUm } = volume ?? {};
    const um = voxelSizeUm ? { voxelSizeUm } : {};
    const { blocks, voxels, bytesRead, cells, seams, spilledBytes } = this.counter.now();
    return {
      somaflow: version,
      node: process.version,
      sources: size && dtype && layout ? [{ id, size, dtype, coreSize: layout.coreSize, ...um }] : [],
      parameters: Object.fromEntries((plans ?? []).map(({ name, options }) => [name, options])),
      target,
      threads,
      memoryBytes: budget.totalBytes,
      started: this.started.toISOString(),
      seconds: (Date.now() - this.started.getTime()) / 1000,
      counts: { blocks, voxels, bytesRead, cells, seams, spilledBytes },
    };
  }

  private fail(error: unknown): void {
    if (this.abort.signal.aborted) return;
    this.subscriber.error(error);
    this.abort.abort(error);
    this.wake();
  }

  /** Resolves at the next change of what there is to do. */
  private change(): Promise<void> {
    this.abort.signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      this.wake = () => {
        if (this.abort.signal.aborted) reject(this.abort.signal.reason);
        else resolve();
      };
    });
  }
}

/** What the first block decides. */
interface RunContext {
  readonly first: AnyBlock;
  readonly chain: ChainPlan;
  readonly request: ImageRequest;
  readonly delivery: Delivery;
  readonly floods: Floods;
  readonly seams: Seams;
  readonly blocksAtATime: number;
}
