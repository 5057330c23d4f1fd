#!/usr/bin/env node
import { availableParallelism } from 'node:os';
import { Command, CommanderError, Option } from 'commander';
import { formatBytes } from '../core/bytes.js';
import { defaultMemoryBytes } from '../core/drive.js';
import { version } from '../core/version.js';
import { type DetectOptions, detect } from './detect.js';
import { parseBlock, parseMemory, parseThreads } from './options.js';

const EXAMPLES = `
Examples:
  somaflow detect stitched.npy --out cells.csv
  somaflow detect planes/ --out cells.csv --threads 8 --memory 2GiB
  somaflow detect 'raw/Z<Z,4>.tif' --out cells.csv --json --quiet
`;

const DETECT_NOTES = `
SOURCE is a .npy file (z, y, x; or x, y, z in Fortran order), a folder with one uncompressed TIFF a plane, in natural
order, or a pattern such as raw/Z<Z,4>.tif, where <Z,4> stands for the plane's number in four digits. Voxels are uint16.

The cells are local maxima of the image less its local background, each with the voxels around it above a threshold:
removeBackground size 10, maxima size 5, shape threshold 700. The table has a row a cell: x, y, z of its center and its
size in voxels, the largest source value in it and the largest without background.

The table is the same for every --block, --threads and --memory; they change speed and memory only. Nothing is left
under the name of --out before it is complete.
${EXAMPLES}`;

function program(): Command {
  const somaflow = new Command('somaflow')
    .description('Finds cells in volumes from light-sheet microscopes.')
    .version(version)
    .addHelpText('after', EXAMPLES)
    .showSuggestionAfterError(false)
    .configureOutput({ outputError: () => undefined })
    .exitOverride();
  somaflow
    .command('detect')
    .description('find the cells of a volume and write them as a table')
    .argument('<source>', 'what to read: a .npy file, a folder of TIFF planes or a pattern with <Z,digits>')
    .requiredOption('-o, --out <file>', 'the CSV file to write')
    .option(
      '--block <Z,Y,X>',
      'extent of the blocks that are worked on, in voxels (default: follows the source)',
      parseBlock,
    )
    .option('--threads <n>', 'native threads that work at a time', parseThreads, availableParallelism())
    .addOption(memoryOption())
    .option('--json', 'print the summary as one line of JSON')
    .option('--quiet', 'do not report progress')
    .option('--verbose', 'add figures to the summary, and the stack to an error')
    .addHelpText('after', DETECT_NOTES)
    .action((source: string, options: DetectOptions) => detect(source, options));
  return somaflow;
}

function memoryOption(): Option {
  return new Option('--memory <bytes>', 'memory for images and results, such as 512MiB')
    .argParser(parseMemory)
    .default(defaultMemoryBytes(), formatBytes(defaultMemoryBytes()));
}

/** Says in one line what went wrong. */
function complain(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  const line = message
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ')
    .trim();
  process.stderr.write(`somaflow: ${line}\n`);
  if (process.argv.includes('--verbose') && error instanceof Error) process.stderr.write(`${error.stack}\n`);
}

// A reader that has seen enough (`somaflow … | head`) is no error of ours.
process.stdout.on('error', () => undefined);
try {
  await program().parseAsync();
} catch (error) {
  // Help and version end this way too, with code 0.
  if (!(error instanceof CommanderError && (error.exitCode === 0 || error.code === 'commander.help'))) complain(error);
  process.exitCode = error instanceof CommanderError ? error.exitCode : 1;
}
