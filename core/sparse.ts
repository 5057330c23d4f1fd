import { Share } from './share.js';
import { type Spilled, SpillFile } from './spill.js';

/** Bytes kept in memory while there is room, else in the spill file. */
export interface Stored {
  readonly bytes: number;
  /** A part of it; a view, not to be written, where it is in memory. */
  read(offset: number, bytes: number): Promise<Uint8Array>;
  /** Lets go of it; to be called once. */
  free(): Promise<void>;
}

/**
 * The sparse half of a budget, divided by use so that nothing which holds bytes ever waits for bytes: stored data
 * goes to the spill file where its share is full; a flood larger than its share works in a file; batches wait for the
 * consumer to let go of earlier ones, which needs no memory of ours.
 */
export class SparseMemory {
  /** Fragments, and cells that wait for their turn. */
  readonly store: Share;
  /** Components put together and flooded. */
  readonly floods: Share;
  /** Cells being brought into order. */
  readonly merges: Share;
  /** Batches delivered and held. */
  readonly batches: Share;
  private spilled = 0;

  constructor(
    readonly capacityBytes: number,
    changed: (differenceBytes: number) => void,
    readonly folder?: string,
  ) {
    const share = (part: number) => new Share(Math.floor(capacityBytes * part), changed);
    this.store = share(3 / 8);
    this.floods = share(2 / 8);
    this.merges = share(1 / 8);
    this.batches = share(2 / 8);
  }

  /** Bytes written to spill files so far. */
  get spilledBytes(): number {
    return this.spilled;
  }

  countSpilled(bytes: number): void {
    this.spilled += bytes;
  }
}

/** What one run keeps of fragments and of cells that wait for their turn, with a spill file of its own. */
export class SparseStore {
  private readonly file: SpillFile;
  private keptBytes = 0;
  private readonly mostKeptBytes: number;
  spilledBytes = 0;

  /** `part` of the memory at most is taken; what is kept to the end of a run leaves some to what comes and goes. */
  constructor(
    private readonly memory: SparseMemory,
    part = 1,
  ) {
    this.file = new SpillFile(memory.folder);
    this.mostKeptBytes = memory.store.capacityBytes * part;
  }

  /** Keeps the bytes; what is passed must not change afterwards. */
  async put(bytes: Uint8Array): Promise<Stored> {
    const fits = this.keptBytes + bytes.byteLength <= this.mostKeptBytes;
    if (fits && this.memory.store.tryTake(bytes.byteLength)) return this.inMemory(bytes);
    const record = await this.file.write(bytes);
    this.spilledBytes += bytes.byteLength;
    this.memory.countSpilled(bytes.byteLength);
    return this.inFile(record);
  }

  /** Forgets everything that is still kept. */
  async close(): Promise<void> {
    this.memory.store.give(this.keptBytes);
    this.keptBytes = 0;
    await this.file.close();
  }

  private inMemory(bytes: Uint8Array): Stored {
    this.keptBytes += bytes.byteLength;
    const free = async () => {
      this.keptBytes -= bytes.byteLength;
      this.memory.store.give(bytes.byteLength);
    };
    return { bytes: bytes.byteLength, read: async (offset, count) => bytes.subarray(offset, offset + count), free };
  }

  private inFile(record: Spilled): Stored {
    const read = async (offset: number, count: number) => {
      const into = new Uint8Array(count);
      await this.file.read(record, offset, into);
      return into;
    };
    return { bytes: record.bytes, read, free: () => this.file.free() };
  }
}
