import { cellRunNumbers, type NativeVoxels } from '../native/index.js';
import type { BranchPlan } from './branchPlan.js';
import { BlockError, BudgetError } from './errors.js';
import type { Region } from './geometry.js';
import { measured } from './measured.js';
import type { VoxelColumn } from './userColumns.js';
import type { CellVoxels } from './userMeasure.js';
import { bytesPerVoxel, type Dtype, voxelsOver } from './volume.js';

/** Bytes of the voxels of one cell that a user's function is given at most, whatever the budget. */
const MOST_CELL_BYTES = 64 * 2 ** 20;
const POSITION_BYTES = 3 * Int32Array.BYTES_PER_ELEMENT;

/** Has the cells of one table measured by users' functions, over their voxels, and puts the values into their rows. */
export class VoxelMeasures {
  constructor(
    private readonly branch: BranchPlan,
    private readonly volumeId: string,
    private readonly signal: AbortSignal,
  ) {}

  /**
   * Has the cells of these rows measured, whose voxels these are, sorted by row.
   *
   * @throws {BlockError} if a function fails, naming the box of the cells
   */
  async add(rows: Float64Array, voxels: NativeVoxels): Promise<void> {
    await this.inParts(rows)(voxels, false);
  }

  /**
   * The same where the voxels come in parts: what it gives takes one after another, and is told whether more will come, which may be of the last
   * cell.
   *
   * @throws {BudgetError} then, if a cell is too large to be measured so
   */
  inParts(rows: Float64Array): (voxels: NativeVoxels, more: boolean) => Promise<void> {
    let left: NativeVoxels | undefined;
    return async (voxels, more) => {
      const [first] = this.branch.voxels;
      if (!first) return;
      const all = left ? joined(left, voxels) : voxels;
      const end = more ? lastCell(all.runs) : all.runs.length;
      left = more ? this.part(all, end, all.runs.length) : undefined;
      if (left) checkSize(first, voxelCount(left.runs));
      if (end > 0) await this.measure(rows, this.part(all, 0, end));
    };
  }

  private async measure(rows: Float64Array, { runs, values }: NativeVoxels): Promise<void> {
    const { voxels: columns, voxelsAt, voxelChannels, rowWidth } = this.branch;
    const cells = cellsOf(rows, rowWidth, runs);
    const count = cells.rows.length;
    for (const [at, { step, dtype, call }] of columns.entries()) {
      const { buffer, byteOffset } = values[voxelChannels[at] as number] as Uint8Array;
      const voxels = voxelsOver(dtype, buffer, byteOffset, cells.positions.length / 3);
      const { offsets, positions, centers } = cells;
      const given: CellVoxels = { voxels, offsets, positions, centers };
      let found: Float64Array;
      try {
        found = await measured(step, (signal) => call(given, count, signal), count, this.signal);
      } catch (cause) {
        this.signal.throwIfAborted();
        throw new BlockError(this.volumeId, boxOf(runs), cause);
      }
      cells.rows.forEach((row, cell) => {
        rows[row * rowWidth + voxelsAt + at] = found[cell] as number;
      });
    }
  }

  /** Runs from one number to another, and the values of their voxels, copied so that they begin where any type of voxel may. */
  private part({ runs, values }: NativeVoxels, from: number, to: number): NativeVoxels {
    if (from === 0 && to === runs.length) return { runs, values };
    const [first, end] = [voxelCount(runs.subarray(0, from)), voxelCount(runs.subarray(0, to))];
    const { rules } = this.branch;
    const bytes = rules.voxelChannels.map((channel) => bytesPerVoxel[rules.dtypes[channel] as Dtype]);
    return {
      runs: runs.slice(from, to),
      values: values.map((of, at) => of.slice(first * (bytes[at] as number), end * (bytes[at] as number))),
    };
  }
}

/** Which cells have these runs, by row; where the voxels of each begin; and where all of them are. */
function cellsOf(rows: Float64Array, rowWidth: number, runs: Int32Array) {
  const positions = new Int32Array(3 * voxelCount(runs));
  const ofRows: number[] = [];
  const offsets: number[] = [];
  let voxel = 0;
  for (let i = 0; i < runs.length; i += cellRunNumbers) {
    const [z, y, x, length, row] = runs.subarray(i, i + cellRunNumbers) as unknown as RunNumbers;
    if (ofRows.at(-1) !== row) {
      ofRows.push(row);
      offsets.push(voxel);
    }
    for (let along = 0; along < length; along++, voxel++) positions.set([z, y, x + along], 3 * voxel);
  }
  offsets.push(voxel);
  const centers = ofRows.flatMap((row) => [2, 1, 0].map((axis) => rows[row * rowWidth + axis] as number));
  return { rows: ofRows, offsets: Uint32Array.from(offsets), positions, centers: Int32Array.from(centers) };
}

type RunNumbers = [z: number, y: number, x: number, length: number, row: number];

function voxelCount(runs: Int32Array): number {
  let count = 0;
  for (let i = 3; i < runs.length; i += cellRunNumbers) count += runs[i] as number;
  return count;
}

/** Where the runs of the last cell begin. */
function lastCell(runs: Int32Array): number {
  let at = runs.length;
  while (at > 0 && runs[at - 1] === runs.at(-1)) at -= cellRunNumbers;
  return at;
}

function joined(a: NativeVoxels, b: NativeVoxels): NativeVoxels {
  const runs = new Int32Array(a.runs.length + b.runs.length);
  runs.set(a.runs);
  runs.set(b.runs, a.runs.length);
  const values = a.values.map((of, at) => {
    const more = b.values[at] as Uint8Array;
    const both = new Uint8Array(of.length + more.length);
    both.set(of);
    both.set(more, of.length);
    return both;
  });
  return { runs, values };
}

function checkSize({ step, dtype }: VoxelColumn, voxels: number): void {
  const bytes = voxels * (POSITION_BYTES + bytesPerVoxel[dtype]);
  if (bytes <= MOST_CELL_BYTES) return;
  const advice = 'raise the threshold, or measure over a window';
  throw new BudgetError(`${step}: a cell of more than ${voxels} voxels`, bytes, MOST_CELL_BYTES, advice);
}

function boxOf(runs: Int32Array): Region {
  const [low, high] = [
    [Infinity, Infinity, Infinity],
    [0, 0, 0],
  ] as [number[], number[]];
  for (let i = 0; i < runs.length; i += cellRunNumbers) {
    const [z, y, x, length] = runs.subarray(i, i + cellRunNumbers) as unknown as RunNumbers;
    [z, y, x].forEach((from, axis) => {
      low[axis] = Math.min(low[axis] as number, from);
      high[axis] = Math.max(high[axis] as number, from + (axis === 2 ? length : 1));
    });
  }
  const at = ([z, y, x]: number[]) => ({ z: z as number, y: y as number, x: x as number });
  return { start: at(low), stop: at(high) };
}
