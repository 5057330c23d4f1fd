import { totalmem } from 'node:os';
import { Observable, type Observer, Subject } from 'rxjs';

import type { CellBatch } from './batch.js';
import type { Block, Needs, Result } from './block.js';
import { Budget } from './budget.js';
import { OptionError } from './errors.js';
import { track } from './idle.js';
import type { Progress } from './progress.js';
import { Run } from './run.js';
import { chooseTarget, chooseThreads, type Target } from './target.js';

export interface CellsOptions {
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
  /** `'index'` (default): a block closes the skipped ones before it. `'any'`: blocks may come in any order. */
  readonly order?: 'index' | 'any';
  /** Voxels of the largest component that is still divided; beyond, the run ends with a `ComponentError`. Default 10^8. */
  readonly maxComponentVoxels?: number;
}

/**
 * Runs a pipeline: blocks in, tables of cells out.
 *
 * Reads each block's core and halo, streams it through the native chain, joins what crosses cores, and delivers the
 * cells in batches, in block order: first the cells inside a block, in z, y, x order with those of components whose last block it is. The cells
 * do not depend on cores, threads, memory, target or the order in which blocks end. A block that is skipped, because a
 * later one came or the stream ended, counts as outside the mask; one that comes again is ignored. The last batch, possibly
 * empty, always comes. Unsubscribing stops reads and native work; see `idle`.
 *
 * @needs `maxima`, and for sizes and intensities `shape` and `intensity`
 * @throws {OptionError} at once, if an option is out of range
 * @throws {BudgetError} in the stream, before the first read, if a block can never fit the memory
 * @throws {LayoutError} in the stream, if blocks do not belong together
 * @throws {BlockError} in the stream, if a source or a step fails, naming the region
 * @throws {ComponentError} in the stream, if a component has more than `maxComponentVoxels`
 * @example blocks(volume).pipe(maxima(), shape({ threshold: 700 }), cells({ memory: '1 GiB' }), write(csv('cells.csv')))
 */
export function cells(
  options: CellsOptions = {},
): <Has extends Result>(blocks: Observable<Block<Has>> & Needs<Has, 'maxima'>) => Observable<CellBatch> {
  const threads = chooseThreads('cells', options.threads);
  const target = chooseTarget('cells', options.target);
  const { order = 'index', maxComponentVoxels = 1e8 } = options;
  if (order !== 'index' && order !== 'any') throw new OptionError('cells', 'order', "'index' or 'any'", order);
  if (!Number.isInteger(maxComponentVoxels) || maxComponentVoxels < 1 || maxComponentVoxels > 4e9) {
    throw new OptionError('cells', 'maxComponentVoxels', 'an integer in 1..4e9', maxComponentVoxels);
  }
  const budgetOf = budgetMaker(options.memory);
  return (source) =>
    new Observable((subscriber) => {
      const progress = new Subject<Progress>();
      if (options.progress) progress.subscribe(options.progress);
      const report = (state: Progress) => progress.next(state);
      const run = new Run(
        { budget: budgetOf(), threads, target, order, maxComponentVoxels, progress: report },
        subscriber,
      );
      track(run.work()).then(
        () => {
          progress.complete();
          subscriber.complete();
        },
        (error) => subscriber.error(error),
      );
      subscriber.add(() => run.cancel());
      const blocks = source.subscribe({
        next: (block) => {
          try {
            run.add(block);
          } catch (error) {
            subscriber.error(error);
            run.cancel();
          }
        },
        error: (error) => subscriber.error(error),
        complete: () => run.end(),
      });
      subscriber.add(blocks);
    });
}

/** Makes a run's budget: the caller's own, which runs may share, or one for each run. */
function budgetMaker(memory: CellsOptions['memory']): () => Budget {
  if (memory instanceof Budget) return () => memory;
  const bytes = memory ?? defaultMemoryBytes();
  new Budget(bytes); // checked now, not when subscribed
  return () => new Budget(bytes);
}

/** A quarter of the memory that the machine, or the container around the process, has; at most 4 GiB. */
export function defaultMemoryBytes(): number {
  const limit = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return Math.min(Math.floor(Math.min(totalmem(), limit) / 4), 4 * 2 ** 30);
}
