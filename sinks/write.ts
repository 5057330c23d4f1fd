import type { MonoTypeOperatorFunction } from 'rxjs';
import type { CellBatch } from '../core/batch.js';
import { pacedBy } from '../core/paced.js';
import type { CellSink } from './sink.js';

/**
 * Writes the cells of every batch to a sink and passes the batch on once they are there, so sinks chain.
 *
 * The sink is opened at subscribe, before the first block is read. Each batch is held until it was written and passed on,
 * which slows the run down to what the sink can take. The last batch comes, and the stream completes, when the sink has
 * closed: `lastValueFrom` resolves with a complete file. After an error, or when unsubscribed, the sink is aborted; an
 * error of the sink (`SinkError`) errors the stream and unsubscribes from the source.
 *
 * @example found.pipe(write(csv('cells.csv')))
 */
export function write(sink: CellSink): MonoTypeOperatorFunction<CellBatch> {
  return pacedBy({
    open: () => sink.open(),
    each: (batch) => sink.write(batch.cells),
    close: () => sink.close(),
    abort: () => sink.abort(),
  });
}
