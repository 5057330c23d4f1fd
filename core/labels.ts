import { tmpdir } from 'node:os';
import { LabelTable, labelBytes } from '../native/labels.js';
import { OptionError } from './errors.js';
import type { LabelImage } from './labelImage.js';
import type { Lanes } from './lanes.js';
import type { SparseMemory, SparseStore, Stored } from './sparse.js';

export interface LabelsOptions {
  /** Of the volume's planes. */
  readonly plane: { readonly y: number; readonly x: number };
  readonly rowWidth: number;
  /** Where a row has its cell's number, then its label; null where rows have none. */
  readonly place: number | null;
  /** What is painted with the labels. */
  readonly image: LabelImage | null;
  readonly store: SparseStore;
  readonly memory: SparseMemory;
  readonly lanes: Lanes;
  readonly signal: AbortSignal;
}

/** The greatest label: tables and runs have them as int32 numbers. */
const MOST_CELLS = 2 ** 31 - 1;

/**
 * The labels of one table's cells: 1 + the rank of a cell's center among all, in z, y, x order.
 *
 * That is known only when all cells are, so a cell gets a number when it is found, in whatever order that is, by which its row and its
 * voxels wait for the label. Of each cell only its center is kept here.
 */
export class Labels {
  readonly image: LabelImage | null;
  private readonly places: Stored[] = [];
  private cells = 0;
  private table: LabelTable | undefined;
  private heldBytes = 0;

  constructor(private readonly options: LabelsOptions) {
    this.image = options.image;
  }

  /** Whether the labels are known. */
  get areKnown(): boolean {
    return this.table !== undefined;
  }

  /** Numbers the cells of these rows, and gives the number of the first. */
  async add(rows: Float64Array): Promise<number> {
    const { plane, rowWidth, place, store } = this.options;
    const first = this.cells;
    const count = rows.length / rowWidth;
    if (first + count > MOST_CELLS) {
      throw new OptionError(
        'cells',
        'the number of cells',
        `at most ${MOST_CELLS} where they get labels`,
        first + count,
      );
    }
    if (count === 0) return first;
    this.cells += count;
    const places = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      const at = i * rowWidth;
      const [x, y, z] = [rows[at] as number, rows[at + 1] as number, rows[at + 2] as number];
      places[i] = (z * plane.y + y) * plane.x + x;
      if (place !== null) rows[at + place] = first + i;
    }
    // Its turn is decided before anything is awaited: rows that come meanwhile have later numbers.
    const turn = this.places.length++;
    this.places[turn] = await store.put(new Uint8Array(places.buffer));
    return first;
  }

  /** Finds the labels, once all cells are known. */
  async rank(): Promise<void> {
    const { memory, lanes, signal } = this.options;
    const bytes = labelBytes(this.cells);
    if (memory.store.tryTake(bytes.labels + bytes.ranking)) this.heldBytes = bytes.labels + bytes.ranking;
    const table = new LabelTable(this.cells, this.heldBytes === 0, memory.folder ?? tmpdir());
    this.table = table;
    for (const part of this.places.splice(0)) {
      signal.throwIfAborted();
      table.add(await part.read(0, part.bytes));
      await part.free();
    }
    await lanes.run(
      () => 1,
      () => table.rank(signal),
    );
    if (this.heldBytes > 0) this.give(bytes.ranking);
  }

  /** Puts labels where rows have numbers. */
  async relabel(rows: Float64Array): Promise<void> {
    const { rowWidth, place } = this.options;
    if (place !== null) await this.table?.relabel(rows, rowWidth, place);
  }

  /** Paints the image with the labels, part by part. */
  async paint(depth: number, write: Parameters<LabelImage['paint']>[2]): Promise<void> {
    if (this.table) await this.image?.paint(this.table, depth, write);
  }

  /** Gives the memory back; nothing has a label afterwards. Harmless where nothing is known yet. */
  free(): void {
    this.table?.free();
    this.table = undefined;
    this.give(this.heldBytes);
  }

  private give(bytes: number): void {
    this.heldBytes -= bytes;
    this.options.memory.store.give(bytes);
  }
}
