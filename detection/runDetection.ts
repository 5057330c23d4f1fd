import { defer, lastValueFrom, mergeMap, NEVER, Observable, takeUntil } from 'rxjs';
import type { CellBatch } from '../core/batch.js';
import { blocks } from '../core/blocks.js';
import { cells } from '../core/cells.js';
import { checkLayout } from '../core/layout.js';
import type { RunRecord } from '../core/runRecord.js';
import type { Volume } from '../core/volume.js';
import { filterCells } from '../operators/filterCells.js';
import type { CellSink } from '../sinks/sink.js';
import { write } from '../sinks/write.js';
import { openedParameters } from './openedParameters.js';
import { chainOf, type WholeParameters } from './parameters.js';
import { blocksOptions, cellsOptions, type DetectionProcessing } from './processing.js';

/**
 * Finds the cells of a volume, hands them to all sinks, and resolves with the record of the run.
 *
 * Checks the options first, then opens the sinks, then the volume. For the errors see `detectCells`, which is this behind a schema.
 */
export async function runDetection(
  open: () => Promise<Volume>,
  sinks: readonly CellSink[],
  parameters: WholeParameters,
  processing: DetectionProcessing,
): Promise<RunRecord> {
  checkLayout(processing);
  const chain = chainOf(await openedParameters(parameters));
  const search = cells({ ...cellsOptions(processing), columns: parameters.columns ?? [] });
  const filter = parameters.filterCells && filterCells(parameters.filterCells);
  // Opened when subscribed to, which `write` does once its own sink is open.
  const described = defer(async () => ({ volume: await open(), options: await blocksOptions(processing) }));
  const found = described.pipe(
    mergeMap(({ volume, options }) => blocks(volume, options).pipe(chain, search)),
    // Before the sinks, so that they clean up first and whoever waits hears of the end when nothing is left.
    takeUntil(processing.signal ? aborting(processing.signal) : NEVER),
  );
  const kept: Observable<CellBatch> = filter ? found.pipe(filter) : found;
  const last = await lastValueFrom(sinks.reduce((batches, sink) => batches.pipe(write(sink)), kept));
  return last.record();
}

/** Fails with the signal's reason once it is aborted, and else says nothing. */
function aborting(signal: AbortSignal): Observable<never> {
  return new Observable((subscriber) => {
    const abort = () => subscriber.error(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    return () => signal.removeEventListener('abort', abort);
  });
}
