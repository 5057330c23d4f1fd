import { type LabelParts, type LabelTable, RUN_BYTES, sortRuns } from '../native/labels.js';
import type { Layout } from './block.js';
import type { Budget } from './budget.js';
import { BudgetError } from './errors.js';
import { type Region, voxelCount } from './geometry.js';
import type { Lanes } from './lanes.js';
import type { SparseStore, Stored } from './sparse.js';

export interface LabelImageOptions {
  readonly layout: Layout;
  readonly budget: Budget;
  readonly store: SparseStore;
  readonly lanes: Lanes;
  readonly signal: AbortSignal;
}

/** Bytes of a voxel, and of what is painted at a time at most. */
const VOXEL_BYTES = 4;
const MOST_PAINTED_BYTES = 8 * 1024 * 1024;
/** The same as a part of the memory for images, which other runs may share. */
const PAINTED_PART = 1 / 8;
/** Bytes of runs that are read at a time at most. */
const MOST_READ_BYTES = 1024 * 1024;

/**
 * The image of one table's labels. Runs of cells are kept, sorted by the part of the image that they lie in, until all cells have
 * labels; then part after part is painted, and each run read once.
 */
export class LabelImage {
  private readonly parts: LabelParts;
  private readonly records: Stored[] = [];
  /** Of each part its runs: a record, and the first byte and the bytes there, one after another. */
  private readonly pieces = new Map<number, number[]>();

  /** @throws {BudgetError} if not even a row of the image fits the memory for images */
  constructor(private readonly options: LabelImageOptions) {
    const { layout, budget } = options;
    this.parts = partsOf(layout, budget.images.capacityBytes);
  }

  /** Takes runs of cells that are numbered from `first` on. */
  async add(runs: Int32Array, first: number): Promise<void> {
    if (runs.length === 0) return;
    const { lanes, store } = this.options;
    const sorted = await lanes.run(
      () => 1,
      () => sortRuns(runs, first, this.parts),
    );
    const record = this.records.push(await store.put(sorted.runs)) - 1;
    for (let i = 0, at = 0; i < sorted.counts.length; i += 2) {
      const [part, count] = sorted.counts.subarray(i, i + 2) as unknown as [number, number];
      const bytes = count * RUN_BYTES;
      const pieces = this.pieces.get(part) ?? [];
      pieces.push(record, at, bytes);
      this.pieces.set(part, pieces);
      at += bytes;
    }
  }

  /** Paints an image of so many planes, and gives it region by region; the voxels are lent until `write` resolves. */
  async paint(
    labels: LabelTable,
    depth: number,
    write: (region: Region, voxels: Uint32Array) => Promise<void>,
  ): Promise<void> {
    const { layout, budget, lanes, signal } = this.options;
    const { planes, rows } = this.parts;
    const width = layout.stop.x - layout.start.x;
    const mostBytes = Math.min(planes, depth) * rows * width * VOXEL_BYTES;
    if (mostBytes === 0) return;
    const readBytes = Math.min(MOST_READ_BYTES, budget.sparse.merges.capacityBytes);
    const give = await budget.sparse.merges.take(readBytes, signal);
    try {
      const { slabs, release } = await budget.images.admit({ slabBytes: [mostBytes], nativeBytes: 0 }, signal);
      try {
        const [slab] = slabs as [SharedArrayBuffer];
        for (const [part, region] of this.regions(depth)) {
          const { start, stop } = region;
          const box = { z: [start.z, stop.z], y: [start.y, stop.y], x: [start.x, stop.x] } as const;
          let fresh = true;
          for await (const runs of this.runsOf(part, readBytes)) {
            signal.throwIfAborted();
            const job = () => labels.paint(runs, box, new Uint8Array(slab), fresh);
            await lanes.run(() => 1, job);
            fresh = false;
          }
          await write(region, new Uint32Array(slab, 0, voxelCount(region)));
        }
      } finally {
        release();
      }
    } finally {
      give();
    }
    for (const record of this.records.splice(0)) await record.free();
  }

  /** The parts of an image of so many planes, and where each lies in the volume. */
  private *regions(depth: number): Generator<[part: number, region: Region]> {
    const { start, stop } = this.options.layout;
    const { planes, rows } = this.parts;
    const end = start.z + depth;
    let part = 0;
    for (let z = start.z; z < end; z += planes) {
      for (let y = start.y; y < stop.y; y += rows) {
        const from = { z, y, x: start.x };
        const to = { z: Math.min(z + planes, end), y: Math.min(y + rows, stop.y), x: stop.x };
        yield [part++, { start: from, stop: to }];
      }
    }
  }

  /** The runs of a part, some at a time, and at least once. */
  private async *runsOf(part: number, mostBytes: number): AsyncGenerator<Uint8Array> {
    const atATime = Math.floor(mostBytes / RUN_BYTES) * RUN_BYTES;
    const pieces = this.pieces.get(part);
    this.pieces.delete(part);
    if (!pieces) yield new Uint8Array(0);
    for (let i = 0; pieces && i < pieces.length; i += 3) {
      const [record, at, bytes] = pieces.slice(i, i + 3) as [number, number, number];
      for (let done = 0; done < bytes; done += atATime) {
        yield await (this.records[record] as Stored).read(at + done, Math.min(atATime, bytes - done));
      }
    }
  }
}

/** Whole planes as far as they fit, or else as many rows of one. */
function partsOf({ start, stop }: Layout, capacityBytes: number): LabelParts {
  const height = stop.y - start.y;
  const rowBytes = (stop.x - start.x) * VOXEL_BYTES;
  if (rowBytes > capacityBytes) {
    const advice = 'give it more memory (half of a budget is for images)';
    throw new BudgetError("save: a row of the image of 'shape'", rowBytes, capacityBytes, advice);
  }
  const fitting = Math.max(1, Math.floor(Math.min(MOST_PAINTED_BYTES, capacityBytes * PAINTED_PART) / rowBytes));
  const rows = Math.min(height, fitting);
  const planes = Math.max(1, Math.floor(fitting / height));
  return { z: start.z, y: start.y, planes, rows, perPlane: Math.ceil(height / rows) };
}
