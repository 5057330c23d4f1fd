import { defer, type MonoTypeOperatorFunction } from 'rxjs';
import type { CellBatch } from '../core/batch.js';
import { OptionError } from '../core/errors.js';
import { type Pace, pacedBy } from '../core/paced.js';
import type { RunRecord } from '../core/runRecord.js';
import type { CellSink } from './sink.js';

/** A sink for the table of each branch, by the branch's name. */
export type BranchSinks = Readonly<Record<string, CellSink>>;

/**
 * Writes the cells of every batch to a sink and passes the batch on once they are there, so sinks chain.
 *
 * The sink is opened at subscribe, before the first block is read. Each batch is held until it was written and passed on,
 * which slows the run down to what the sink can take. The last batch comes, and the stream completes, when the sink has
 * closed: `lastValueFrom` resolves with a complete file. After an error, or when unsubscribed, the sink is aborted; an
 * error of the sink (`SinkError`) errors the stream and unsubscribes from the source. The sink is given the run's record, as
 * it is with the last batch.
 *
 * The tables of a pipeline with branches go each to a sink of its own. All of them are opened at subscribe and closed at the
 * end; if one fails, those that are not closed yet are aborted.
 *
 * @throws {OptionError} at once, if what is given is neither a sink nor an object with sinks; in the stream, if a batch is of a
 * branch that has no sink
 * @example found.pipe(write(csv('cells.csv')))
 * @example
 * const both = branch({ low: maxima({ threshold: 100 }), high: maxima({ threshold: 900 }) });
 * blocks(volume).pipe(both, cells(), write({ low: csv('low.csv'), high: csv('high.csv') }))
 */
export function write(to: CellSink | BranchSinks): MonoTypeOperatorFunction<CellBatch> {
  if (isSink(to)) {
    const sinkOf = ({ branch }: CellBatch) => {
      if (branch === '') return to;
      const expected = `an object with a sink for each branch, such as { ${branch}: csv('${branch}.csv') }`;
      throw new OptionError('write', 'sink', expected, 'one sink for all');
    };
    return writing([to], sinkOf);
  }
  checkSinks(to);
  const sinkOf = ({ branch }: CellBatch) => {
    if (Object.hasOwn(to, branch)) return to[branch] as CellSink;
    const expected =
      branch === '' ? 'a single sink where there are no branches' : `there for the branch '${branch}' too`;
    throw new OptionError('write', 'sinks', expected, Object.keys(to).join(', '));
  };
  return writing(Object.values(to), sinkOf);
}

/** Each subscription keeps its own account of what is open. */
function writing(
  sinks: readonly CellSink[],
  sinkOf: (batch: CellBatch) => CellSink,
): MonoTypeOperatorFunction<CellBatch> {
  return (source) => defer(() => source.pipe(pacedBy(new Writing(sinks, sinkOf))));
}

class Writing implements Pace {
  private readonly opened = new Set<CellSink>();
  private readonly records = new Map<CellSink, RunRecord>();

  constructor(
    private readonly sinks: readonly CellSink[],
    private readonly sinkOf: (batch: CellBatch) => CellSink,
  ) {}

  async open(): Promise<void> {
    try {
      for (const sink of this.sinks) {
        await sink.open();
        this.opened.add(sink);
      }
    } catch (error) {
      await this.abort().catch(() => {});
      throw error;
    }
  }

  async each(batch: CellBatch): Promise<void> {
    const sink = this.sinkOf(batch);
    await sink.write(batch.cells);
    this.records.set(sink, batch.record());
  }

  async close(): Promise<void> {
    for (const sink of this.sinks) {
      await sink.close(this.records.get(sink));
      this.opened.delete(sink);
    }
  }

  async abort(): Promise<void> {
    const aborted = await Promise.allSettled([...this.opened].map((sink) => sink.abort()));
    this.opened.clear();
    for (const one of aborted) if (one.status === 'rejected') throw one.reason;
  }
}

function isSink(value: unknown): value is CellSink {
  const methods = ['open', 'write', 'close', 'abort'] as const;
  return (
    typeof value === 'object' &&
    value !== null &&
    methods.every((name) => typeof (value as CellSink)[name] === 'function')
  );
}

function checkSinks(sinks: BranchSinks): void {
  const given = typeof sinks === 'object' && sinks !== null ? Object.values(sinks) : [];
  if (given.length === 0 || !given.every(isSink)) {
    throw new OptionError(
      'write',
      'sinks',
      'a sink such as csv(path), or an object with a sink for each branch',
      sinks,
    );
  }
  if (new Set(given).size < given.length) {
    throw new OptionError('write', 'sinks', 'a different one for each branch', Object.keys(sinks).join(', '));
  }
}
