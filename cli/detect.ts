import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type Observable, Subscription, tap } from 'rxjs';
import type { CellBatch } from '../core/batch.js';
import { OptionError } from '../core/errors.js';
import type { Zyx } from '../core/geometry.js';
import type { Volume } from '../core/volume.js';
import { blocks, cells, csv, idle, intensity, maxima, openSource, removeBackground, shape, write } from '../index.js';

import { onInterrupt } from './interrupt.js';
import { ProgressReport } from './progress.js';
import { jsonLine, type Outcome, summary } from './summary.js';

/** What `somaflow detect` was asked, options read and checked. */
export interface DetectOptions {
  readonly out: string;
  readonly block?: Zyx;
  readonly threads: number;
  readonly memory: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** Rows of the table that the summary shows. */
const SHOWN = 3;

/** Finds the cells of a source with the default chain, writes them, and says on stdout what was found. */
export async function detect(source: string, options: DetectOptions): Promise<void> {
  await checkOut(source, options.out);
  const started = performance.now();
  const volume = await openSource(source);
  const report = new ProgressReport(voxelsOf(volume), options.quiet ? undefined : process.stderr);
  let count = 0;
  const first: Record<string, number>[] = [];
  const batches = pipeline(volume, options, report).pipe(
    tap((batch) => {
      count += batch.cells.count;
      for (let row = 0; first.length < SHOWN && row < batch.cells.count; row++) first.push(batch.cells.row(row));
    }),
  );
  try {
    await untilDone(batches, () => report.stop());
  } finally {
    report.stop();
  }
  const outcome: Outcome = {
    source,
    out: options.out,
    size: volume.size,
    cells: count,
    first,
    seconds: (performance.now() - started) / 1000,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    progress: report.latest,
  };
  process.stdout.write(options.json ? `${jsonLine(outcome)}\n` : summary(outcome, options.verbose));
}

/** The default chain, from blocks to the file. */
function pipeline(volume: Volume, options: DetectOptions, progress: ProgressReport): Observable<CellBatch> {
  return blocks(volume, options.block ? { size: options.block } : {}).pipe(
    removeBackground({ size: 10 }),
    maxima({ size: 5, threshold: 0 }),
    shape({ threshold: 700 }),
    intensity({ method: 'max', measure: ['source', 'background'] }),
    cells({ memory: options.memory, threads: options.threads, progress }),
    write(csv(options.out)),
  );
}

/** Runs the stream to its end; when the user interrupts it, ends the process once nothing is left behind. */
async function untilDone(batches: Observable<CellBatch>, atInterrupt: () => void): Promise<void> {
  const running = new Subscription();
  const done = new Promise<void>((resolve, reject) => {
    running.add(batches.subscribe({ error: reject, complete: resolve }));
  });
  const release = onInterrupt(async () => {
    running.unsubscribe();
    atInterrupt();
    await idle();
  });
  try {
    await done;
  } catch (error) {
    await idle();
    throw error;
  } finally {
    release();
  }
}

/** Refuses a path that cannot be written, before any work is done. */
async function checkOut(source: string, out: string): Promise<void> {
  const folder = dirname(resolve(out));
  const refuse = (expected: string): never => {
    throw new OptionError('detect', '--out', expected, out);
  };
  if (resolve(out) === resolve(source)) refuse('another file than the source');
  if (out === '' || (await stat(out).catch(() => undefined))?.isDirectory()) refuse('a file, not a folder');
  if (!(await stat(folder).catch(() => undefined))?.isDirectory()) refuse(`in a folder that exists, not ${folder}`);
  await access(folder, constants.W_OK).catch(() => refuse(`in a folder that can be written, not ${folder}`));
}

function voxelsOf({ size: { z, y, x } }: Volume): number | null {
  return z === null ? null : z * y * x;
}
