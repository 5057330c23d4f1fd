import { resolve } from 'node:path';
import type { CellTable } from '../core/cellTable.js';
import { OptionError } from '../core/errors.js';
import type { Zyx } from '../core/geometry.js';
import type { RunRecord } from '../core/runRecord.js';
import type { Volume, Voxels } from '../core/volume.js';
import { collect } from '../sinks/collect.js';
import type { CellSink } from '../sinks/sink.js';
import { sinkFor } from '../sinks/sinkFor.js';
import { arrayVolume } from '../sources/array.js';
import { openSource } from '../sources/open.js';
import { completed, type DetectionParameters } from './parameters.js';
import type { DetectionProcessing } from './processing.js';
import { runDetection } from './runDetection.js';

/** What is to be searched: a path that `openSource` knows, a volume, or voxels in memory, x fastest, with their extent. */
export type DetectionSource = string | Volume | { readonly data: Voxels; readonly size: Zyx };

/** Where the table goes: a file, by its ending `.csv` or `.npy`, a sink, or several of those. */
export type DetectionSink = string | CellSink | readonly (string | CellSink)[];

/**
 * Finds the cells of a volume: the whole chain in one call.
 *
 * Resolves with the table where the sink is null, else with the record of the run, once all is stored. All options are checked
 * before anything is read, and sinks are opened before the source, so that a long run does not fail at its end. Where it rejects,
 * nothing is left under the names of the files.
 *
 * @returns a table with a row a cell: `x`, `y`, `z` of its center and its `size` (voxels), then a column a measured image, then what
 * `parameters.columns` asks for
 * @throws {OptionError} if an option is unknown, naming the nearest known one, or out of range
 * @throws {SinkError} if a sink cannot be written
 * @throws {SourceError} if the source or the mask cannot be opened
 * @throws what `cells` gives in the stream: a block or component that fails, a memory too small
 * @throws the reason of `processing.signal`, once aborted
 * @example const table = await detectCells('stitched.npy', null, { shape: { threshold: 500 } });
 * @example await detectCells(volume, ['cells.csv', 'cells.npy'], clearMapParameters(), { memory: '2 GiB', signal });
 */
export async function detectCells(
  source: DetectionSource,
  sink: null,
  parameters?: DetectionParameters,
  processing?: DetectionProcessing,
): Promise<CellTable>;
export async function detectCells(
  source: DetectionSource,
  sink: DetectionSink,
  parameters?: DetectionParameters,
  processing?: DetectionProcessing,
): Promise<RunRecord>;
export async function detectCells(
  source: DetectionSource,
  sink: DetectionSink | null,
  parameters?: DetectionParameters,
  processing?: DetectionProcessing,
): Promise<CellTable | RunRecord> {
  await checkStructure(parameters, processing);
  const run = (sinks: readonly CellSink[]) =>
    runDetection(() => opened(source), sinks, completed(parameters ?? {}), processing ?? {});
  if (sink !== null) return run(sinksOf(sink, source));
  const found = collect();
  await run([found]);
  return found.table;
}

/** Options that are not given need no schema, which takes longer to load than many a run. */
async function checkStructure(parameters: unknown, processing: unknown): Promise<void> {
  if (parameters === undefined && processing === undefined) return;
  const schema = await import('./schema.js');
  if (parameters !== undefined) schema.checkParameters(parameters, 'detectCells');
  if (processing !== undefined) schema.checkProcessing(processing, 'detectCells');
}

function sinksOf(sink: DetectionSink, source: DetectionSource): CellSink[] {
  const all = typeof sink === 'string' || 'open' in sink ? [sink] : sink;
  const paths = all.map((one) => (typeof one === 'string' ? resolve(one) : undefined));
  for (const [at, path] of paths.entries()) {
    if (path === undefined) continue;
    if (paths.indexOf(path) !== at)
      throw new OptionError('detectCells', 'sink', 'files that are each named once', path);
    if (typeof source === 'string' && path === resolve(source)) {
      throw new OptionError('detectCells', 'sink', 'another file than the source', path);
    }
  }
  return all.map((one) => (typeof one === 'string' ? sinkFor(one) : one));
}

async function opened(source: DetectionSource): Promise<Volume> {
  if (typeof source === 'string') return openSource(source);
  return 'data' in source ? arrayVolume(source.data, source.size) : source;
}
