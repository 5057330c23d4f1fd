import { type Command, Option } from 'commander';
import { OptionError } from '../core/errors.js';
import { type CellRanges, filterTable, type ValueRange } from '../operators/filterCells.js';
import { readCells } from '../sources/readCells.js';
import { collected, outputs } from './outputs.js';

interface FilterOptions {
  readonly out: readonly string[];
  readonly size?: ValueRange;
  readonly source?: ValueRange;
  readonly where?: CellRanges;
  readonly json?: boolean;
}

const NOTES = `
TABLE is a .csv or .npy file of cells. A range is min:max: values from min on and below max; a side
left out is open, and a number alone is the least value. Only rows within all ranges are kept.

Examples:
  somaflow filter cells.csv --size 20:900 --out kept.csv
  somaflow filter cells.npy --size 20: --source 500: --out kept.csv
  somaflow filter cells.csv --where background=100:2000 --where z=10:90 --out kept.npy
`;

/** Adds the command's options, its help and what it does. */
export function define(command: Command): void {
  command
    .argument('<table>', 'the cells to choose from: a .csv or .npy file')
    .addOption(
      new Option('-o, --out <file>', 'the table to write: .csv or .npy; may come several times')
        .argParser(collected)
        .makeOptionMandatory(),
    )
    .addOption(rangeOption('--size <min:max>', 'range of sizes, in voxels; short for --where size=min:max'))
    .addOption(rangeOption('--source <min:max>', 'range of source values; short for --where source=min:max'))
    .addOption(
      new Option('--where <column=min:max>', 'range of any column; may come several times').argParser(
        (text, before: CellRanges = {}): CellRanges => {
          const [, column, range] = /^([^=]+)=(.*)$/.exec(text) ?? [];
          if (!column || range === undefined) throw new OptionError('filter', '--where', "'column=min:max'", text);
          return addRange(before, column, parseRange('--where', range, text), text);
        },
      ),
    )
    .option('--json', 'print the counts as one line of JSON')
    .option('--verbose', 'add the stack to an error')
    .addHelpText('after', NOTES)
    .action(filter);
}

/** Keeps the cells of a table that are within all ranges, writes them, and says on stdout how many they are. */
async function filter(path: string, options: FilterOptions): Promise<void> {
  let ranges = options.where ?? {};
  for (const column of ['size', 'source'] as const) {
    const range = options[column];
    if (range) ranges = addRange(ranges, column, range, `--${column}`);
  }
  if (Object.keys(ranges).length === 0)
    throw new OptionError('filter', 'ranges', 'given', ranges, 'no range is given, expected one such as --size 20:900');
  const sinks = await outputs('filter', options.out, path);
  const table = await readCells(path);
  const kept = filterTable(table, ranges);
  for (const sink of sinks) {
    await sink.open();
    try {
      await sink.write(kept);
      await sink.close();
    } catch (error) {
      await sink.abort();
      throw error;
    }
  }
  const counts = { kept: kept.count, cells: table.count };
  process.stdout.write(
    options.json
      ? `${JSON.stringify(counts)}\n`
      : `kept ${counts.kept} of ${counts.cells} cells\nwritten to ${options.out.join(', ')}\n`,
  );
}

function rangeOption(flags: string, description: string): Option {
  const [name = ''] = flags.split(' ');
  return new Option(flags, description).argParser((text) => parseRange(name, text, text));
}

function parseRange(option: string, range: string, given: string): ValueRange {
  const [min = '', max = '', ...more] = range.split(':').map((side) => side.trim());
  const number = (side: string) => (side === '' ? null : Number(side));
  if (more.length > 0 || (min === '' && max === '') || Number.isNaN(number(min)) || Number.isNaN(number(max))) {
    throw new OptionError('filter', option, "a range 'min:max' of numbers, one of which may be left out", given);
  }
  return { min: number(min), max: number(max) };
}

function addRange(before: CellRanges, column: string, range: ValueRange, given: string): CellRanges {
  if (Object.hasOwn(before, column)) throw new OptionError('filter', '--where', 'one range a column', given);
  return { ...before, [column]: range };
}
