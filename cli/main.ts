#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { version } from '../core/version.js';

const EXAMPLES = `
Examples:
  somaflow info stitched.npy
  somaflow detect stitched.npy --out cells.csv
  somaflow detect 'raw/Z<Z,4>.tif' --out cells.csv --params params.json --memory 2GiB
  somaflow filter cells.csv --size 20:900 --out kept.csv
`;

/** The commands; the file of each is loaded only when it is asked for, since the library behind them takes its time. */
const COMMANDS: readonly (readonly [string, string, () => Promise<{ define(command: Command): void }>])[] = [
  ['detect', 'find the cells of a volume and write them as a table', () => import('./detect.js')],
  ['info', 'say what a source is: size, type, chunks', () => import('./info.js')],
  ['plan', 'say what detect would take: blocks, memory, bytes, time', () => import('./plan.js')],
  ['filter', 'keep the cells of a table that are within ranges', () => import('./filter.js')],
];

async function program(): Promise<Command> {
  const somaflow = new Command('somaflow')
    .description('Finds cells in volumes from light-sheet microscopes.')
    .version(version)
    .addHelpText('after', EXAMPLES)
    .configureOutput({ outputError: () => undefined })
    .configureHelp({ helpWidth: Math.min(100, process.stdout.columns ?? 100) })
    .exitOverride();
  for (const [name, description, load] of COMMANDS) {
    const command = somaflow.command(name).description(description);
    if (process.argv.includes(name)) (await load()).define(command);
  }
  return somaflow;
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
  await (await program()).parseAsync();
} catch (error) {
  // Help and version end this way too, with code 0.
  if (!(error instanceof CommanderError && (error.exitCode === 0 || error.code === 'commander.help'))) complain(error);
  process.exitCode = error instanceof CommanderError ? error.exitCode : 1;
}
