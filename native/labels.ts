/** Labels of cells: ranks of their centers, and the voxels of label images; see native/chain/labels.h. */
import { addon, type NativeBox } from './index.js';
import { onAbort } from './onAbort.js';

/** Bytes of a run of a cell's voxels: z, y, x, length and the cell's number, int32 each. */
export const RUN_BYTES = 20;

/** The parts in which a label image that begins at (z, y) is painted: planes, or rows of one plane. */
export interface LabelParts {
  readonly z: number;
  readonly y: number;
  readonly planes: number;
  readonly rows: number;
  readonly perPlane: number;
}

/** Runs in the order of the parts that they lie in, and pairs of a part and its number of runs. */
export interface SortedRuns {
  readonly runs: Uint8Array;
  readonly counts: Int32Array;
}

interface NativeLabels {
  add(places: Uint8Array): void;
  rank(): Promise<void>;
  relabel(rows: Float64Array, width: number, place: number): Promise<void>;
  paint(runs: Uint8Array, box: NativeBox, into: Uint8Array, fresh: boolean): Promise<void>;
  stop(): void;
  free(): void;
}

const native = addon as unknown as {
  readonly Labels: new (options: {
    readonly cells: number;
    readonly inFile: boolean;
    readonly folder: string;
  }) => NativeLabels;
  labelBytes(cells: number): { readonly labels: number; readonly ranking: number };
  sortRuns(runs: Int32Array, first: number, parts: LabelParts): Promise<SortedRuns>;
};

/** Bytes that the labels of so many cells take, and that ranking them takes besides. */
export const labelBytes = native.labelBytes;

/** Sorts runs by the parts that they lie in; their cells' numbers count from `first` on. */
export const sortRuns = native.sortRuns;

/** The labels of cells that have numbers, in memory or in an unlinked file. */
export class LabelTable {
  private readonly native: NativeLabels;

  /** @throws {Error} if there is no room for the file */
  constructor(cells: number, inFile: boolean, folder: string) {
    this.native = new native.Labels({ cells, inFile, folder });
  }

  /** Takes the places of the next cells' centers, float64 numbers that are in the centers' order. */
  add(places: Uint8Array): void {
    this.native.add(places);
  }

  /** Labels all cells. Rejects with the signal's reason once that is aborted. */
  async rank(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const forget = onAbort(signal, () => this.native.stop());
    try {
      await this.native.rank();
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      forget();
    }
  }

  /** Puts labels in the place of numbers, in rows of `width` numbers. */
  relabel(rows: Float64Array, width: number, place: number): Promise<void> {
    return this.native.relabel(rows, width, place);
  }

  /** Writes the labels of runs into the packed uint32 voxels of a box; with `fresh` all else in it becomes 0. */
  paint(runs: Uint8Array, box: NativeBox, into: Uint8Array, fresh: boolean): Promise<void> {
    return this.native.paint(runs, box, into, fresh);
  }

  free(): void {
    this.native.free();
  }
}
