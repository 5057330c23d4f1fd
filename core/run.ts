import type { AnyBlock } from './block.js';
import { runBlock } from './blockRun.js';
import { Delivery } from './delivery.js';
import { BlockError, LayoutError } from './errors.js';
import { voxelCount } from './geometry.js';
import type { ImageGrant } from './images.js';
import { Lanes } from './lanes.js';
import { type Progress, ProgressCounter } from './progress.js';
import type { RunRecord } from './runRecord.js';
import { SparseStore } from './sparse.js';
import { anyInside } from './tissue.js';
import { version } from './version.js';
import type { Volume } from './volume.js';
import { type BatchObserver, type RunOptions, type RunParts, VolumeRun } from './volumeRun.js';

/** The part of the memory for what waits that may be taken by what waits for the end of the run. */
const LASTING_PART = 1 / 2;

/**
 * One run of a pipeline: takes blocks as they are described, admits them as memory allows, runs their chains, joins
 * what crosses cores and delivers tables in block order. Of several volumes each is joined and delivered by itself.
 */
export class Run {
  private readonly abort = new AbortController();
  private readonly started = new Date();
  private readonly store: SparseStore;
  private readonly lasting: SparseStore;
  private readonly lanes: Lanes;
  private readonly counter: ProgressCounter;
  private readonly queue: AnyBlock[] = [];
  private readonly volumes = new Map<Volume, VolumeRun>();
  private readonly tasks = new Set<Promise<void>>();
  private readonly parts: RunParts;
  private arrivals = 0;
  private admitted = 0;
  private ended = false;
  /** Whether tables have a column that tells volumes apart; known once the blocks that come at once have come. */
  private volumeColumn: boolean | undefined;
  private wake = () => {};
  /** Seams are worked on by one block at a time. */
  private seamTurn: Promise<void> = Promise.resolve();

  constructor(
    private readonly options: RunOptions & { readonly progress: (progress: Progress) => void },
    private readonly subscriber: BatchObserver,
  ) {
    const { budget, threads, target, progress } = options;
    this.store = new SparseStore(budget.sparse);
    this.lasting = new SparseStore(budget.sparse, LASTING_PART);
    this.lanes = new Lanes(threads);
    const spilled = () => this.store.spilledBytes + this.lasting.spilledBytes;
    this.counter = new ProgressCounter(threads, target, spilled, progress);
    const { store, lasting, lanes, counter } = this;
    this.parts = {
      ...{ options, store, lasting, lanes, counter, subscriber, signal: this.abort.signal },
      fail: (error) => this.fail(error),
      record: ({ name, plans }) => this.record(name, plans),
      hasVolumeColumn: () => this.volumeColumn === true,
      isItsTurn: (volume) => this.isItsTurn(volume),
      blockIsOut: () => this.nextTurn(),
    };
  }

  /** Takes the next description. Throws what makes it impossible. */
  add(block: AnyBlock): void {
    const known = this.volumes.get(block.volume);
    const volume = known ?? this.begin(block);
    if (!volume.take(block, ++this.arrivals)) return;
    this.counter.known();
    this.queue.push(block);
    const left = volume.arrivals.skippedBefore(block);
    if (left.length > 0) this.inTurn(() => volume.skip(left));
    // Blocks of an earlier volume that come after those of a later one let the later one go on.
    if (known && this.volumes.size > 1) this.nextTurn();
    this.wake();
  }

  /** Says that the blocks that come at once have come; whoever comes later cannot add a column any more. */
  settleColumns(withVolumes: boolean): void {
    this.volumeColumn = withVolumes || this.volumes.size > 1;
  }

  /** Says that no more blocks come. */
  end(): void {
    this.ended = true;
    for (const { arrivals } of this.volumes.values()) arrivals.end();
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
      for (const volume of this.volumes.values()) {
        await volume.caughtUp();
        await volume.saved.abort();
      }
      await this.store.close();
      await this.lasting.close();
    }
  }

  /** What the run is and has done so far. */
  record(branch = '', plans = this.first?.plans ?? []): RunRecord {
    const { target, threads, budget } = this.options;
    const { blocks, voxels, bytesRead, seams, spilledBytes } = this.counter.now();
    return {
      somaflow: version,
      node: process.version,
      sources: [...this.volumes.values()].map((volume) => volume.describe()),
      parameters: Object.fromEntries(plans.map(({ name, options }) => [name, options])),
      ...(branch === '' ? {} : { branch }),
      ...{ target, threads, memoryBytes: budget.totalBytes, started: this.started.toISOString() },
      seconds: (Date.now() - this.started.getTime()) / 1000,
      counts: { blocks, voxels, bytesRead, cells: this.counter.cellsOf(branch), seams, spilledBytes },
    };
  }

  /** Starts blocks, in the order in which they came, as long as there is memory and the consumer keeps up. */
  private async admitAll(): Promise<void> {
    const { signal } = this.abort;
    for (;;) {
      // It stays in the queue until it runs: what it will read must not be released before.
      const [block] = this.queue;
      if (!block) {
        if (this.ended) break;
        await this.change();
        continue;
      }
      const volume = this.volumes.get(block.volume) as VolumeRun;
      for (const one of this.volumes.values()) await one.caughtUp();
      await volume.saved.ready();
      if (await this.leavesOut(block, volume)) continue;
      while (this.tasks.size >= volume.blocksAtATime) await this.change();
      const grant = await this.options.budget.images.admit(volume.request, signal);
      if (signal.aborted) grant.release();
      signal.throwIfAborted();
      this.queue.shift();
      const task: Promise<void> = this.runOne(block, volume, grant)
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

  /** Whether a block lies wholly outside its mask; then it is done without being read, unless its images are wanted. */
  private async leavesOut(block: AnyBlock, volume: VolumeRun): Promise<boolean> {
    if (!block.mask || volume.chain.saves.length > 0) return false;
    const inside = await anyInside(block, this.abort.signal).catch((error) => this.explain(block, error));
    if (inside) return false;
    this.queue.shift();
    this.counter.passed(voxelCount(block.core));
    this.counter.finished();
    await this.inTurn(() => volume.ended(block));
    volume.release(this.queue);
    return true;
  }

  private async runOne(block: AnyBlock, volume: VolumeRun, grant: ImageGrant) {
    const { chain, running } = volume;
    const { threads, target, budget } = this.options;
    const { fragments, output } = volume.collector(block);
    const { start, stop } = block.core;
    const planeVoxels = (stop.y - start.y) * (stop.x - start.x);
    let passed = start.z;
    const passUpTo = (z: number) => {
      const to = Math.min(Math.max(z, passed), stop.z);
      this.counter.passed((to - passed) * planeVoxels);
      passed = to;
    };
    running.set(block, 0);
    try {
      await runBlock({
        ...{ block, chain, grant, output },
        config: chain.config(block, target, budget.sparse),
        // Those before it go first, so that blocks end one after another and seams are joined while others are at work.
        lanes: this.lanes.ranked(++this.admitted),
        width: () => Math.ceil(threads / Math.max(1, this.busyBlocks())),
        signal: this.abort.signal,
        saved: (n, region, voxels) => volume.saved.write(n, region, voxels),
        reading: (bytes) => this.counter.read(bytes),
        passed: (nextPlane) => {
          running.set(block, nextPlane);
          volume.release(this.queue);
          passUpTo(nextPlane - chain.halo.after.z);
        },
      });
      passUpTo(stop.z);
    } catch (error) {
      this.explain(block, error);
    } finally {
      grant.release();
      running.delete(block);
    }
    volume.release(this.queue);
    this.counter.finished();
    // Its place is free only now, so that what was found cannot pile up before the seams.
    await this.inTurn(() => volume.ended(block, fragments));
  }

  /** The first block of all. */
  private get first(): AnyBlock | undefined {
    return this.volumes.values().next().value?.first;
  }

  private busyBlocks(): number {
    return [...this.volumes.values()].reduce((sum, { running }) => sum + running.size, 0);
  }

  /** Throws what went wrong with a block, and where. */
  private explain(block: AnyBlock, error: unknown): never {
    if (this.abort.signal.aborted || error instanceof BlockError) throw error;
    throw new BlockError(block.volume.id, block.core, error);
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    this.seamTurn = this.seamTurn.then(async () => {
      if (this.abort.signal.aborted) return;
      await work().catch((error) => this.fail(error));
    });
    return this.seamTurn;
  }

  private async finish(): Promise<void> {
    const volumes = [...this.volumes.values()];
    for (const volume of volumes) await volume.finish();
    await volumes.at(-1)?.last();
    if (volumes.length === 0 && this.options.wanted === 'cells') {
      this.subscriber.next(Delivery.nothing(() => this.record()));
    }
    this.abort.signal.throwIfAborted();
  }

  private begin(block: AnyBlock): VolumeRun {
    const { id } = block.volume;
    if (this.volumeColumn === false && this.volumes.size === 1) {
      const advice = "ask for cells({ columns: ['volume'] }) where volumes come one after another";
      throw new LayoutError(
        `cells: ${id} came after cells of another volume, without a column that tells them apart: ${advice}`,
      );
    }
    const volume = new VolumeRun(block, this.volumes.size, this.parts);
    const [first = volume] = this.volumes.values();
    if (volume.columns !== first.columns) {
      throw new LayoutError(`cells: blocks of ${id}: expected tables of ${first.columns}, got ${volume.columns}`);
    }
    this.volumes.set(block.volume, volume);
    return volume;
  }

  /** A volume waits for those all of whose blocks came before its own, so that files are the same, row by row. */
  private isItsTurn(volume: VolumeRun): boolean {
    for (const earlier of this.volumes.values()) {
      if (earlier === volume) return true;
      if (earlier.lastArrival < volume.firstArrival && !earlier.isOut) return false;
    }
    return true;
  }

  /** Looks whether a volume that waited can go on. */
  private nextTurn(): void {
    if (this.volumes.size > 1) for (const volume of this.volumes.values()) volume.advance();
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
