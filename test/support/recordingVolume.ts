import { setTimeout as sleep } from 'node:timers/promises';
import { type Region, voxelCount } from '../../core/geometry.js';
import { bytesPerVoxel, type Dtype, type Volume, type VolumeSize, type Voxels } from '../../core/volume.js';

export interface RecordingOptions {
  /** Turns of the event loop that the nth read (from 0) takes; drawn, so that blocks complete in any order. */
  readonly delay?: (read: number) => number;
  /** Milliseconds that every read takes at least, as reads from a disk do. */
  readonly readMs?: number;
  /** The nth read fails with this error. */
  readonly failure?: { readonly read: number; readonly error: Error };
  /** Reads from the nth on wait until `release()`. */
  readonly hangFrom?: number;
  /** Reads go on to their end though the signal says stop, as a decoder in a library does. */
  readonly deaf?: boolean;
  /** Called when a read begins and when it has ended. */
  readonly watch?: () => void;
}

/** A volume that keeps account of what is read, and can be slow, broken or stuck. */
export class RecordingVolume implements Volume {
  readonly id: string;
  readonly size: VolumeSize;
  readonly dtype: Dtype;
  declare readonly chunks?: NonNullable<Volume['chunks']>;
  declare readonly keepsPlanes?: number;
  declare readonly arrived?: NonNullable<Volume['arrived']>;
  declare readonly release?: NonNullable<Volume['release']>;
  /** Regions in the order in which they were asked for. */
  readonly regions: Region[] = [];
  /** Reads under way. */
  underWay = 0;
  /** Reads that were told to stop before they had ended. */
  stopped = 0;
  private open = false;
  private readonly waiting = new Set<() => void>();

  constructor(
    private readonly inner: Volume,
    private readonly options: RecordingOptions = {},
  ) {
    this.id = inner.id;
    this.size = inner.size;
    this.dtype = inner.dtype;
    // An absent property and an undefined one are different things to a reader of `chunks`.
    if (inner.chunks) Object.assign(this, { chunks: inner.chunks });
    if (inner.keepsPlanes !== undefined) Object.assign(this, { keepsPlanes: inner.keepsPlanes });
    if (inner.arrived) Object.assign(this, { arrived: inner.arrived.bind(inner) });
    if (inner.release) Object.assign(this, { release: inner.release.bind(inner) });
  }

  get bytesRead(): number {
    return this.regions.reduce((bytes, region) => bytes + voxelCount(region) * bytesPerVoxel[this.dtype], 0);
  }

  /** Lets all reads that hang go on, and those to come. */
  letGo(): void {
    this.open = true;
    for (const resume of this.waiting) resume();
    this.waiting.clear();
  }

  async read(region: Region, into: Voxels, asked: AbortSignal): Promise<void> {
    const { delay, readMs, failure, hangFrom, watch, deaf } = this.options;
    const signal = deaf ? new AbortController().signal : asked;
    const read = this.regions.push(region) - 1;
    this.underWay += 1;
    watch?.();
    try {
      signal.throwIfAborted();
      if (hangFrom !== undefined && read >= hangFrom && !this.open) await this.gate(signal);
      for (let turns = delay?.(read) ?? 0; turns > 0; turns--) {
        await new Promise((resolve) => setImmediate(resolve));
        signal.throwIfAborted();
      }
      if (readMs !== undefined) await sleep(readMs, undefined, { signal });
      if (failure?.read === read) throw failure.error;
      await this.inner.read(region, into, signal);
    } catch (error) {
      if (asked.aborted) this.stopped += 1;
      throw error;
    } finally {
      this.underWay -= 1;
      watch?.();
    }
  }

  private gate(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.add(resolve);
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
  }
}
