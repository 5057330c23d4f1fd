import { onAbort } from '../native/onAbort.js';

interface Waiting {
  readonly bytes: number;
  readonly start: () => void;
}

/** A number of bytes that is given out strictly first come, first served, so that nobody starves. */
export class Share {
  private readonly waiting: Waiting[] = [];
  private used = 0;

  /** `changed` is told of every difference in use. */
  constructor(
    readonly capacityBytes: number,
    private readonly changed: (differenceBytes: number) => void,
  ) {}

  get usedBytes(): number {
    return this.used;
  }

  /** Whether somebody waits. */
  get isFull(): boolean {
    return this.waiting.length > 0;
  }

  /** Takes the bytes if they are free and nobody waits; the caller gives them back by `give`. */
  tryTake(bytes: number): boolean {
    if (this.waiting.length > 0 || this.used + bytes > this.capacityBytes) return false;
    this.add(bytes);
    return true;
  }

  give(bytes: number): void {
    this.add(-bytes);
    this.serve();
  }

  /**
   * Waits for its turn and for room, and gives the function that lets go (again is harmless). Asking for more than the capacity
   * is the caller's mistake. Rejects with the signal's reason when aborted while it waits.
   */
  take(bytes: number, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (bytes > this.capacityBytes) throw new RangeError(`${bytes} bytes asked of a share of ${this.capacityBytes}`);
    return new Promise((resolve, reject) => {
      const forget = onAbort(signal, () => {
        this.waiting.splice(this.waiting.indexOf(waiting), 1);
        reject(signal.reason);
        this.serve();
      });
      const start = () => {
        forget();
        let held = true;
        resolve(() => {
          if (held) this.give(bytes);
          held = false;
        });
      };
      const waiting = { bytes, start };
      this.waiting.push(waiting);
      this.serve();
    });
  }

  private add(bytes: number): void {
    this.used += bytes;
    this.changed(bytes);
  }

  private serve(): void {
    for (;;) {
      const first = this.waiting[0];
      if (!first || this.used + first.bytes > this.capacityBytes) return;
      this.waiting.shift();
      this.add(first.bytes);
      first.start();
    }
  }
}
