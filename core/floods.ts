import { tmpdir } from 'node:os';
import { addon, type FloodRules, type FloodTotals, type NativeFlood } from '../native/index.js';
import { RUN_BYTES } from '../native/labels.js';
import { onAbort } from '../native/onAbort.js';
import { type Component, freeFragments } from './fragments.js';
import type { Labels } from './labels.js';
import type { Lanes } from './lanes.js';
import { sortRows } from './rows.js';
import type { SparseMemory } from './sparse.js';
import type { VolumeSize } from './volume.js';
import type { VoxelMeasures } from './voxelMeasures.js';

export interface FloodOptions {
  readonly memory: SparseMemory;
  readonly lanes: Lanes;
  readonly rules: FloodRules;
  readonly rowWidth: number;
  readonly volume: VolumeSize;
  readonly signal: AbortSignal;
  /** Numbers cells, and takes the runs of their voxels. */
  readonly labels: Labels | null;
  /** Has cells measured by users' functions. */
  readonly measures: VoxelMeasures;
  /** Takes the cells of components that end in a block, in z, y, x order. */
  readonly deliver: (block: number, rows: Float64Array) => Promise<void>;
  /** Told once a component's cells were delivered. */
  readonly settled: (component: Component) => void;
}

/** Runs of cells are taken from a flood in parts, each at most as large as the share divided by this. */
const VOXEL_PARTS = 16;

/** What the components of one native job take together, and the bytes of their largest fragment. */
interface BatchSize {
  readonly totals: FloodTotals;
  readonly fragmentBytes: number;
}
interface Batch extends BatchSize {
  readonly components: Component[];
}

/** Floods components that were joined from fragments: as many together as the budget's share holds, a larger one in a file. */
export class Floods {
  private readonly waiting: Component[] = [];

  constructor(private readonly options: FloodOptions) {}

  add(component: Component): void {
    this.waiting.push(component);
  }

  /** Floods all that wait; one call at a time. */
  async drain(): Promise<void> {
    for (const component of this.waiting) {
      if (component.fragments.every((fragment) => fragment.seeds === 0)) await this.settle(component);
    }
    const waiting = this.waiting.splice(0).filter((component) => component.fragments.length > 0);
    for (let next = 0; next < waiting.length; ) {
      const batch = this.batchFrom(waiting, next);
      await this.flood(batch);
      next += batch.components.length;
    }
  }

  /** The longest batch from `first` on that the share holds; at least one component. */
  private batchFrom(waiting: readonly Component[], first: number): Batch {
    const components: Component[] = [];
    let size: BatchSize = { totals: nothing, fragmentBytes: 0 };
    for (let next = first; next < waiting.length; next++) {
      const component = waiting[next] as Component;
      const longer = withComponent(size, component);
      if (components.length > 0 && this.bytesOf(longer) > this.options.memory.floods.capacityBytes) break;
      components.push(component);
      size = longer;
    }
    return { components, ...size };
  }

  /** Bytes of a batch in memory; the fragment being read and the cells come on top of what native code takes. */
  private bytesOf(size: BatchSize): number {
    return addon.floodBytes(size.totals, this.options.rules) + size.fragmentBytes + this.rowBytes(size);
  }

  /** Bytes of a batch's cells: once as native code leaves them, and once copied from there. */
  private rowBytes({ totals }: BatchSize): number {
    return 2 * totals.seeds * this.options.rowWidth * Float64Array.BYTES_PER_ELEMENT;
  }

  private async flood(batch: Batch): Promise<void> {
    const { memory, lanes, rules, signal, rowWidth, volume } = this.options;
    const inFile = this.bytesOf(batch) > memory.floods.capacityBytes;
    // A component in a file takes the fragment that is being read, which is a small part of the share, and its cells.
    const bytes = inFile ? batch.fragmentBytes + this.rowBytes(batch) : this.bytesOf(batch);
    const give = await memory.floods.take(Math.min(bytes, memory.floods.capacityBytes), signal);
    try {
      const flood = new addon.Flood({
        ...batch.totals,
        rules,
        volume: [volume.z ?? 0, volume.y, volume.x],
        inFile,
        folder: memory.folder ?? tmpdir(),
      });
      for (const component of batch.components) {
        for (const { group, offset, bytes } of component.fragments) {
          signal.throwIfAborted();
          flood.add(await group.stored.read(offset, bytes));
        }
        flood.close();
      }
      try {
        const { rows, counts, cellRuns } = await lanes.run(
          () => 1,
          () => stoppable(flood, signal),
        );
        await this.takeVoxels(rows, flood, cellRuns);
        await this.deliver(batch.components, rows, counts, rowWidth);
      } finally {
        flood.free();
      }
    } finally {
      give();
    }
    for (const component of batch.components) await this.settle(component);
  }

  /** Numbers and measures the cells before they are sorted, since the runs of their voxels count them as they are now. */
  private async takeVoxels(rows: Float64Array, flood: NativeFlood, runs: number): Promise<void> {
    const { labels, measures, memory } = this.options;
    const first = await labels?.add(rows);
    const measure = measures.inParts(rows);
    const atATime = Math.ceil(memory.floods.capacityBytes / VOXEL_PARTS / RUN_BYTES);
    for (let from = 0; from < runs; from += atATime) {
      const voxels = flood.takeVoxels(from, Math.min(atATime, runs - from));
      if (first !== undefined) await labels?.image?.add(voxels.runs, first);
      await measure(voxels, from + atATime < runs);
    }
  }

  private async deliver(components: Component[], rows: Float64Array, counts: Int32Array, width: number): Promise<void> {
    const ofBlock = new Map<number, Float64Array[]>();
    let at = 0;
    for (const [i, { lastBlock }] of components.entries()) {
      const end = at + (counts[i] ?? 0) * width;
      const parts = ofBlock.get(lastBlock) ?? [];
      parts.push(rows.subarray(at, end));
      ofBlock.set(lastBlock, parts);
      at = end;
    }
    for (const [block, parts] of ofBlock) await this.options.deliver(block, sortRows(parts, width));
  }

  private async settle(component: Component): Promise<void> {
    await freeFragments(component);
    this.options.settled(component);
    component.fragments = [];
  }
}

const nothing: FloodTotals = { voxels: 0, runs: 0, seeds: 0, mostVoxels: 0, mostRuns: 0, mostSeeds: 0 };

function withComponent({ totals, fragmentBytes }: BatchSize, component: Component): BatchSize {
  let [voxels, runs, seeds, largest] = [0, 0, 0, fragmentBytes];
  for (const fragment of component.fragments) {
    voxels += fragment.voxels;
    runs += fragment.runs;
    seeds += fragment.seeds;
    largest = Math.max(largest, fragment.bytes);
  }
  return {
    totals: {
      voxels: totals.voxels + voxels,
      runs: totals.runs + runs,
      seeds: totals.seeds + seeds,
      mostVoxels: Math.max(totals.mostVoxels, voxels),
      mostRuns: Math.max(totals.mostRuns, runs),
      mostSeeds: Math.max(totals.mostSeeds, seeds),
    },
    fragmentBytes: largest,
  };
}

async function stoppable(flood: NativeFlood, signal: AbortSignal) {
  const forget = onAbort(signal, () => flood.stop());
  try {
    return await flood.run();
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    forget();
  }
}
