import { OptionError, SomaflowError, SourceError } from '../core/errors.js';
import type { Region, Zyx } from '../core/geometry.js';
import type { Dtype, Volume, Voxels } from '../core/volume.js';
import { onAbort } from '../native/onAbort.js';
import { checkVoxelSize } from './array.js';
import { checkRead, copyRegion } from './region.js';
import { DTYPES, newVoxels, type VoxelArrays, voxelArrays } from './voxelTypes.js';

export interface LiveVolumeOptions<D extends Dtype = Dtype> {
  /** Extent of each plane in pixels. */
  readonly size: { readonly y: number; readonly x: number };
  /** The type of the voxels. Default `'uint16'`. */
  readonly dtype?: D;
  /** How many planes will come, where that is known. */
  readonly planes?: number;
  /** Planes that are kept for readers; while all places are taken, writing waits. */
  readonly buffer: number;
  /** Edge lengths of a voxel in µm. */
  readonly voxelSizeUm?: Zyx;
  /** Tells volumes apart in messages and merged streams. Default `live 1`, `live 2`, and so on. */
  readonly id?: string;
}

/** A volume that grows plane by plane, and the producer's side of it. */
export interface LiveVolume<D extends Dtype = 'uint16'> {
  readonly volume: Volume;
  /**
   * Hands over the next plane. Resolves once it has been copied, which waits while the buffer is full: until then the array
   * is to be left as it is. Writes that wait are taken in the order in which they were called.
   *
   * Rejects with an `OptionError` if the plane has another type or length, comes after `end()` or is one more than `planes`;
   * with the signal's reason if that is aborted first, the plane then being withdrawn; and with the error of `fail()`.
   */
  write(plane: VoxelArrays[D], options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Says that no more planes come after those written, taken or waiting. */
  end(): void;
  /** Says that the acquisition broke: whatever waits or comes rejects with a `SourceError` of this cause. */
  fail(error: unknown): void;
}

let lives = 0;

/**
 * A volume whose planes are pushed from code, as a microscope delivers them.
 *
 * It keeps at most `buffer` planes, until `volume.release(z)` says which are not needed any more; then the producer's
 * next write is taken. No plane is ever dropped: a read of a released plane is a `SourceError`.
 *
 * @throws {OptionError} if an extent, `planes` or `buffer` is not an integer of at least 1, or `dtype` is no type of voxel
 * @example const { volume, write, end } = liveVolume({ size: { y: 2048, x: 2048 }, buffer: 32 })
 */
export function liveVolume<D extends Dtype = 'uint16'>(options: LiveVolumeOptions<D>): LiveVolume<D> {
  const { size, planes, buffer, voxelSizeUm } = options;
  const dtype: Dtype = options.dtype ?? 'uint16';
  const numbers = { 'size.y': size.y, 'size.x': size.x, buffer, ...(planes === undefined ? {} : { planes }) };
  for (const [option, value] of Object.entries(numbers)) {
    if (!Number.isInteger(value) || value < 1) {
      throw new OptionError('liveVolume', option, 'an integer of at least 1', value);
    }
  }
  if (!DTYPES.includes(dtype)) throw new OptionError('liveVolume', 'dtype', `one of ${DTYPES.join(', ')}`, dtype);
  if (voxelSizeUm) checkVoxelSize('liveVolume', voxelSizeUm);
  const id = options.id ?? `live ${++lives}`;
  const ring = new PlaneRing(id, { y: size.y, x: size.x }, dtype, planes, buffer);
  return {
    volume: {
      id,
      size: { z: planes ?? null, y: size.y, x: size.x },
      dtype,
      chunks: { z: 1, y: size.y, x: size.x },
      keepsPlanes: buffer,
      ...(voxelSizeUm ? { voxelSizeUm } : {}),
      read: async (region, into, signal) => {
        // While the depth is unknown any plane may come; that it did not is found when the end is.
        checkRead(id, { z: planes ?? Number.MAX_SAFE_INTEGER, ...size }, dtype, region, into);
        await ring.read(region, into, signal);
      },
      arrived: (count, signal) => ring.arrived(count, signal),
      release: (z) => ring.release(z),
    },
    write: async (plane, { signal } = {}) => ring.write(plane, signal),
    end: () => ring.end(),
    fail: (error) => ring.fail(error),
  };
}

/** Somebody who waits for planes. */
interface Waiter {
  /** Settles the promise if it can; says whether it did. */
  readonly settle: () => boolean;
}

interface WaitingWrite {
  readonly plane: Voxels;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** The planes from `released` to `taken`, each at its number modulo the ring's length. */
class PlaneRing {
  private readonly slots: Voxels[] = [];
  private taken = 0;
  private released = 0;
  private ending = false;
  private failure: SomaflowError | undefined;
  private readonly writes: WaitingWrite[] = [];
  private readonly waiters = new Set<Waiter>();

  constructor(
    private readonly id: string,
    private readonly size: { readonly y: number; readonly x: number },
    private readonly dtype: Dtype,
    private readonly planes: number | undefined,
    private readonly buffer: number,
  ) {}

  async write(plane: Voxels, signal: AbortSignal | undefined): Promise<void> {
    const pixels = this.size.y * this.size.x;
    const array = voxelArrays[this.dtype];
    if (!(plane instanceof array) || plane.length !== pixels) {
      const got = `${plane.constructor.name} of ${plane.length}`;
      throw new OptionError('liveVolume.write', 'plane', `a ${array.name} of ${pixels} pixels`, got);
    }
    signal?.throwIfAborted();
    if (this.failure) throw this.failure;
    const number = this.taken + this.writes.length;
    if (this.ending) throw new OptionError('liveVolume.write', 'plane', 'written before end()', `plane ${number}`);
    if (number === this.planes) {
      throw new OptionError('liveVolume.write', 'plane', `one of ${this.planes}, as planes says`, `plane ${number}`);
    }
    await new Promise<void>((resolve, reject) => {
      const withdraw = () => {
        this.writes.splice(this.writes.indexOf(write), 1);
        reject(signal?.reason);
        // It may have been the last that an end() waited for.
        this.advance();
      };
      const forget = signal && onAbort(signal, withdraw);
      const write: WaitingWrite = {
        plane,
        resolve: () => {
          forget?.();
          resolve();
        },
        reject: (reason) => {
          forget?.();
          reject(reason);
        },
      };
      this.writes.push(write);
      this.advance();
    });
  }

  end(): void {
    this.ending = true;
    this.advance();
  }

  fail(error: unknown): void {
    if (this.failure) return;
    const problem = `acquisition failed: ${error instanceof Error ? error.message : String(error)}`;
    this.failure = error instanceof SomaflowError ? error : new SourceError(this.id, problem, { cause: error });
    for (const write of this.writes.splice(0)) write.reject(this.failure);
    this.advance();
  }

  read(region: Region, into: Voxels, signal: AbortSignal): Promise<void> {
    const { start, stop } = region;
    return this.until(signal, () => {
      if (start.z < this.released) {
        throw new SourceError(this.id, `plane ${start.z} is gone, expected a read of plane ${this.released} or later`);
      }
      const depth = stop.z - start.z;
      if (depth > this.buffer) {
        throw new SourceError(this.id, `read of ${depth} planes at once, expected at most ${this.buffer}, the buffer`);
      }
      if (this.taken < stop.z) {
        if (!this.ended) return undefined;
        throw this.planes === undefined || this.taken === this.planes
          ? new SourceError(this.id, `plane ${stop.z - 1}, expected one of the ${this.taken} that came`)
          : this.endedEarly();
      }
      const rows = { start: { ...start, z: 0 }, stop: { ...stop, z: 1 } };
      const pixels = (stop.y - start.y) * (stop.x - start.x);
      for (let z = start.z, to = 0; z < stop.z; z++, to += pixels) {
        const slot = this.slots[z % this.buffer] as Voxels;
        copyRegion(slot, { z: 1, ...this.size }, rows, into.subarray(to, to + pixels));
      }
      return { value: undefined };
    });
  }

  arrived(count: number, signal: AbortSignal): Promise<number> {
    return this.until(signal, () => {
      if (this.taken >= count) return { value: this.taken };
      if (!this.ended) return undefined;
      if (this.planes !== undefined && this.taken < this.planes) throw this.endedEarly();
      return { value: this.taken };
    });
  }

  release(z: number): void {
    this.released = Math.max(this.released, z);
    this.advance();
  }

  private get ended(): boolean {
    return (this.ending && this.writes.length === 0) || this.taken === this.planes;
  }

  private endedEarly(): SourceError {
    return new SourceError(this.id, `ended after ${this.taken} planes, expected ${this.planes}`);
  }

  /** Takes the writes that have room, then looks who has got what was waited for. */
  private advance(): void {
    // A plane that was released before it came takes no place: nobody will read it.
    while (this.writes.length > 0 && this.taken - this.released < this.buffer) {
      const write = this.writes.shift() as WaitingWrite;
      if (this.taken >= this.released) this.slotFor(this.taken).set(write.plane);
      this.taken++;
      write.resolve();
    }
    for (const waiter of this.waiters) if (waiter.settle()) this.waiters.delete(waiter);
  }

  private slotFor(z: number): Voxels {
    const at = z % this.buffer;
    const slot = this.slots[at] ?? newVoxels(this.dtype, this.size.y * this.size.x);
    this.slots[at] = slot;
    return slot;
  }

  /** Resolves with what `look` returns once that is not undefined; it is asked now and after every change. */
  private until<T>(signal: AbortSignal, look: () => { readonly value: T } | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      let forget: (() => void) | undefined;
      const waiter: Waiter = {
        settle: () => {
          try {
            if (this.failure) throw this.failure;
            const found = look();
            if (!found) return false;
            resolve(found.value);
          } catch (error) {
            reject(error);
          }
          forget?.();
          return true;
        },
      };
      if (waiter.settle()) return;
      this.waiters.add(waiter);
      forget = onAbort(signal, () => {
        this.waiters.delete(waiter);
        reject(signal.reason);
      });
    });
  }
}
