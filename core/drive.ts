import { totalmem } from 'node:os';
import { type Observable, type Observer, Subject, type Subscriber } from 'rxjs';
import type { CellBatch } from './batch.js';
import type { AnyBlock } from './block.js';
import { Budget } from './budget.js';
import { track } from './idle.js';
import type { Progress } from './progress.js';
import { Run } from './run.js';
import { chooseTarget, chooseThreads, type Target } from './target.js';
import type { RunOptions } from './volumeRun.js';

/** The options of everything that runs blocks. */
export interface DriveOptions {
  /**
   * Bytes for images and sparse data together, or a text such as `'512 MiB'`, or a budget that several runs share.
   * Default: a quarter of the machine's memory, at most 4 GiB.
   */
  readonly memory?: number | string | Budget;
  /** Native threads that work at a time, 1 to 256. Default: the machine's cores. */
  readonly threads?: number;
  /** CPU target of the kernels. Default: `SOMAFLOW_TARGET`, else the fastest that the CPU has. */
  readonly target?: Target;
  /** Told of every step forward. */
  readonly progress?: Partial<Observer<Progress>>;
}

/** What one kind of run does with the blocks that come and with what they give. */
export interface Drive {
  readonly options: Omit<RunOptions, 'budget' | 'threads' | 'target'>;
  /** Whether tables have the column `volume` in any case. */
  readonly volumeColumn: boolean;
  /** Throws what makes a block impossible here. */
  readonly check?: (block: AnyBlock) => void;
  readonly next: (batch: CellBatch) => void;
  readonly done: (run: Run) => void;
}

/**
 * Checks the options at once, and gives what subscribes to blocks and runs them.
 *
 * @throws {OptionError} if an option is out of range
 */
export function driver(where: string, { memory, threads, target, progress }: DriveOptions) {
  const chosen = { threads: chooseThreads(where, threads), target: chooseTarget(where, target) };
  const budgetOf = budgetMaker(memory);
  return (source: Observable<AnyBlock>, subscriber: Subscriber<unknown>, drive: Drive): void => {
    const told = new Subject<Progress>();
    if (progress) told.subscribe(progress);
    const fail = (error: unknown) => subscriber.error(error);
    const options = {
      ...drive.options,
      ...chosen,
      budget: budgetOf(),
      progress: (state: Progress) => told.next(state),
    };
    const run = new Run(options, { next: drive.next, error: fail });
    track(run.work()).then(() => {
      told.complete();
      drive.done(run);
    }, fail);
    subscriber.add(() => run.cancel());
    const blocks = source.subscribe({
      next: (block) => {
        try {
          drive.check?.(block);
          run.add(block);
        } catch (error) {
          subscriber.error(error);
          run.cancel();
        }
      },
      error: fail,
      complete: () => run.end(),
    });
    run.settleColumns(drive.volumeColumn);
    subscriber.add(blocks);
  };
}

/** Makes a run's budget: the caller's own, which runs may share, or one for each run. */
function budgetMaker(memory: DriveOptions['memory']): () => Budget {
  if (memory instanceof Budget) return () => memory;
  const bytes = memory ?? defaultMemoryBytes();
  new Budget(bytes); // checked now, not when subscribed
  return () => new Budget(bytes);
}

/**
 * A quarter of the memory that the machine, or the container around the process, has; at most 4 GiB.
 *
 * @example const half = new Budget(defaultMemoryBytes() / 2);
 */
export function defaultMemoryBytes(): number {
  const limit = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return Math.min(Math.floor(Math.min(totalmem(), limit) / 4), 4 * 2 ** 30);
}
