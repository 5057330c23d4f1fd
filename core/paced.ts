import { type MonoTypeOperatorFunction, Observable, type Subscriber, Subscription } from 'rxjs';
import type { CellBatch } from './batch.js';
import { track } from './idle.js';

/** What is done with a stream of batches: one call at a time, each awaited before the next. */
export interface Pace {
  /** Called at subscribe, before the source is subscribed to. Where it rejects nothing else is called. */
  open?(): Promise<void>;
  each(batch: CellBatch): Promise<void>;
  /** Called when the source has completed and every batch was dealt with, before the last batch is passed on. */
  close?(): Promise<void>;
  /** Called instead of `close` after an error or an unsubscribe, when no other call is under way. */
  abort?(): Promise<void>;
}

/**
 * Waits for an asynchronous function with every batch before passing it on.
 *
 * Each batch is held from its arrival until whoever comes after has had it, so a slow function slows the run down
 * instead of filling the memory. An error of the function errors the stream and unsubscribes from the source.
 *
 * @example found.pipe(paced(async (batch) => { await send(batch.cells); }))
 */
export function paced(asyncFunction: (batch: CellBatch) => Promise<void>): MonoTypeOperatorFunction<CellBatch> {
  return pacedBy({ each: asyncFunction });
}

/** The operator behind `paced` and `write`. */
export function pacedBy(pace: Pace): MonoTypeOperatorFunction<CellBatch> {
  return (source) =>
    new Observable<CellBatch>((subscriber) => {
      const run = new PacedRun(pace, subscriber);
      // So that idle() waits for the cleaning up after an unsubscribe, too.
      track(run.drive(source));
      return () => run.unsubscribed();
    });
}

interface Held {
  readonly batch: CellBatch;
  readonly release: () => void;
}

/** One subscription. The source fills a queue; a single loop empties it, so that no two calls of the pace overlap. */
class PacedRun {
  private readonly upstream = new Subscription();
  private readonly queue: Held[] = [];
  /** The batch that the pace has now, or had last and that waits to be passed on. */
  private current: Held | undefined;
  private completed = false;
  private failure: { readonly error: unknown } | undefined;
  private wake: (() => void) | undefined;

  constructor(
    private readonly pace: Pace,
    private readonly subscriber: Subscriber<CellBatch>,
  ) {}

  /** Resolves when all is done and cleaned up; never rejects. */
  async drive(source: Observable<CellBatch>): Promise<void> {
    let open = false;
    try {
      await this.pace.open?.();
      open = true;
      if (!this.stopped) this.subscribeTo(source);
      while (await this.another()) await this.dealWithNext();
      if (!this.stopped) {
        await this.pace.close?.();
        open = false;
        this.passOn();
      }
    } catch (error) {
      this.failure ??= { error };
    }
    this.upstream.unsubscribe();
    this.current?.release();
    this.releaseQueue();
    // What went wrong first is what the user has to hear of, not what the cleaning up made of it.
    if (open) await this.pace.abort?.().catch(() => {});
    if (this.failure) this.subscriber.error(this.failure.error);
    else this.subscriber.complete();
  }

  unsubscribed(): void {
    this.upstream.unsubscribe();
    this.releaseQueue();
    this.changed();
  }

  private get stopped(): boolean {
    return this.subscriber.closed || this.failure !== undefined;
  }

  private subscribeTo(source: Observable<CellBatch>): void {
    const subscription = source.subscribe({
      next: (batch) => {
        if (this.stopped) return;
        this.queue.push({ batch, release: batch.hold() });
        this.changed();
      },
      error: (error) => {
        this.failure ??= { error };
        this.changed();
      },
      complete: () => {
        this.completed = true;
        this.changed();
      },
    });
    this.upstream.add(subscription);
  }

  /** Waits until there is a batch (true), or until none will come or be wanted any more. */
  private async another(): Promise<boolean> {
    while (!this.stopped && !this.completed && this.queue.length === 0) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    return !this.stopped && this.queue.length > 0;
  }

  private async dealWithNext(): Promise<void> {
    // A last batch that was kept, for the end might have come next: these are merged streams.
    this.passOn();
    this.current = this.queue.shift();
    if (!this.current) return;
    await this.pace.each(this.current.batch);
    // The last one is passed on when the pace has closed, so that whoever waits for it finds a whole file.
    if (!this.stopped && !(this.current.batch.last && this.pace.close)) this.passOn();
  }

  private passOn(): void {
    const held = this.current;
    this.current = undefined;
    if (!held) return;
    this.subscriber.next(held.batch);
    held.release();
  }

  private releaseQueue(): void {
    for (const { release } of this.queue.splice(0)) release();
  }

  private changed(): void {
    this.wake?.();
    this.wake = undefined;
  }
}
