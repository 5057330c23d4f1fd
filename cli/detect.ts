import { type Command, Option } from 'commander';
import type { Region, Zyx } from '../core/geometry.js';
import { idle } from '../core/idle.js';
import type { Volume } from '../core/volume.js';
import type { WholeParameters } from '../detection/parameters.js';
import { runDetection } from '../detection/runDetection.js';
import type { CellSink } from '../sinks/sink.js';
import { onInterrupt } from './interrupt.js';
import {
  type AskedRegion,
  blockOption,
  maskOption,
  memoryOption,
  paramsOption,
  regionIn,
  regionOption,
  threadsOption,
  voxelSizeOption,
} from './options.js';
import { collected, outputs } from './outputs.js';
import { readParameters } from './params.js';
import { Preview } from './preview.js';
import { ProgressReport } from './progress.js';
import { openVolume } from './source.js';
import { jsonLine, type Outcome, summary } from './summary.js';

/** What `somaflow detect` was asked, options read and checked. */
interface DetectOptions {
  readonly out: readonly string[];
  readonly params?: string;
  readonly region?: AskedRegion;
  readonly mask?: string;
  readonly voxelSize?: Zyx;
  readonly block?: Zyx;
  readonly threads?: number;
  readonly memory?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

const NOTES = `
SOURCE is a .npy file (z, y, x; or x, y, z in Fortran order), a folder with one uncompressed TIFF a
plane, in natural order, or a pattern such as raw/Z<Z,4>.tif, where <Z,4> stands for the plane's
number in four digits. Voxels are uint8, uint16 or float32.

The cells are local maxima of the image less its local background, each with the voxels around it
above a threshold. PARAMS is a JSON object with an entry a step; a given entry replaces the default
entry, and null skips the step. The default is
  { "removeBackground": { "size": 10 }, "maxima": { "size": 5, "threshold": 0 },
    "shape": { "threshold": 700 },
    "intensity": { "method": "max", "measure": ["source", "background"] } }

The table has a row a cell: x, y, z of its center and its size in voxels, then a column a measured
image, then what "columns" asks for: of ["label", "centroid", "box", "flags"]. "save" in a step's
entry names a .npy file for its image; that of shape has the labels of the cells. Beside the
table, as FILE.json, is the record of the run. The table is the same for every --block, --threads
and --memory. Nothing is left under the name of --out before it is complete.

Examples:
  somaflow detect stitched.npy --out cells.csv
  somaflow detect planes/ --out cells.csv --out cells.npy --params params.json
  somaflow detect 'raw/Z<Z,4>.tif' --out cells.csv --region 100:200,, --mask tissue.tif
  somaflow detect stitched.npy --out cells.csv --threads 8 --memory 2GiB --json --quiet
`;

/** Adds the command's options, its help and what it does. */
export function define(command: Command): void {
  command
    .argument('<source>', 'what to read: a .npy file, a folder of TIFF planes or a pattern with <Z,digits>')
    .addOption(
      new Option('-o, --out <file>', 'the table to write: .csv or .npy; may come several times')
        .argParser(collected)
        .makeOptionMandatory(),
    )
    .addOption(paramsOption('those below'))
    .addOption(regionOption('detect'))
    .addOption(maskOption())
    .addOption(voxelSizeOption('detect'))
    .addOption(blockOption('detect'))
    .addOption(threadsOption('detect'))
    .addOption(memoryOption('detect'))
    .option('--json', 'print the summary as one line of JSON')
    .option('--quiet', 'do not report progress')
    .option('--verbose', 'add figures to the summary, and the stack to an error')
    .addHelpText('after', NOTES)
    .action(detect);
}

/** Finds the cells of a source, writes them, and says on stdout what was found. */
async function detect(source: string, options: DetectOptions): Promise<void> {
  const sinks = await outputs('detect', options.out, source);
  const parameters = await readParameters(options.params);
  const started = performance.now();
  const volume = await openVolume(source, options.voxelSize);
  const region = options.region && regionIn('detect', volume, options.region);
  const preview = new Preview();
  const report = new ProgressReport(voxelsOf(volume, region), options.quiet ? undefined : process.stderr);
  try {
    await report.begin();
    await untilDone(volume, [...sinks, preview], parameters, region, options, report);
  } finally {
    report.stop();
  }
  const outcome: Outcome = {
    source,
    out: options.out,
    size: volume.size,
    cells: preview.count,
    first: preview.first,
    seconds: (performance.now() - started) / 1000,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    progress: report.latest,
  };
  process.stdout.write(options.json ? `${jsonLine(outcome)}\n` : summary(outcome, options.verbose));
}

/** Runs to the end; when the user interrupts it, ends the process once nothing is left behind. */
async function untilDone(
  volume: Volume,
  sinks: readonly CellSink[],
  parameters: WholeParameters,
  region: Region | undefined,
  { block, mask, memory, threads }: DetectOptions,
  progress: ProgressReport,
): Promise<void> {
  const interrupted = new AbortController();
  const release = onInterrupt(async () => {
    interrupted.abort();
    progress.stop();
    await idle();
  });
  try {
    await runDetection(async () => volume, sinks, parameters, {
      ...(block && { size: block }),
      ...(region && { region }),
      ...(mask !== undefined && { mask }),
      ...(memory !== undefined && { memory }),
      ...(threads !== undefined && { threads }),
      progress,
      signal: interrupted.signal,
    });
  } catch (error) {
    // The process is about to end, with the signal's code and no error to tell.
    if (interrupted.signal.aborted) await new Promise(() => {});
    await idle();
    throw error;
  } finally {
    release();
  }
}

function voxelsOf({ size }: Volume, region?: Region): number | null {
  const { z, y, x } = region
    ? { z: region.stop.z - region.start.z, y: region.stop.y - region.start.y, x: region.stop.x - region.start.x }
    : size;
  return z === null ? null : z * y * x;
}
