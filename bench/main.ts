/** The benchmark: `npm run bench -- --help` says what it is asked. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { supportedTargets } from 'somaflow';
import { chains } from './chains.js';
import { kernels } from './kernels.js';
import { memory } from './memory.js';
import { describeRun, keep, printSection } from './report.js';
import { scaling } from './scaling.js';
import type { Options, Section } from './section.js';
import { sources } from './sources.js';

const HELP = `npm run bench -- [SECTION...] [options]

Programs take turns, so that what else the machine does falls on all of them. Each section is a table: median and spread in
Mvoxel/s, and how many times as fast a row is as those it is put beside. All samples go to bench/results/<date>.json.

Sections, all when none is named:
  kernels   each kernel alone, beside the same by OpenCV, SciPy and scikit-image, and beside memcpy
  chains    the default chain, with dog, with illumination and equalize; dense and sparse; beside baseline.py; peak memory
  sources   NPY and TIFF, beside only reading, only computing, and the bound that both give
  memory    peak memory with a budget of 256 MiB, which must not follow the volume or the block: else the exit code is 1
  scaling   cost of a voxel and peak memory from 128 MiB to 4 GiB

Options:
  --repeats N     rounds (3); the slowest libraries have fewer turns
  --target NAME   the CPU target of kernels and commands (the fastest: ${supportedTargets().at(-1)})
  --no-baseline   without Python's libraries
  --quick         smaller volumes, for a look; writes no file
  --help

Volumes are made once in the temporary folder, up to 9 GB of them; making them takes Python with NumPy.
`;

const SECTIONS: Readonly<Record<string, (options: Options) => Promise<Section>>> = {
  kernels,
  chains,
  sources,
  memory,
  scaling,
};

try {
  await bench();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}

async function bench(): Promise<void> {
  const asked = read();
  if (asked === null) {
    process.stdout.write(HELP);
    return;
  }
  const { names, options } = asked;
  // Every program that is started takes it from here.
  process.env.SOMAFLOW_TARGET = options.target;
  const run = await describeRun(options);
  const { date, cpu, cores, target, node, commit, repeats } = run;
  console.log(`${date}, ${cpu}, ${cores} cores, ${target}, Node ${node}, commit ${commit}, ${repeats} rounds`);
  const sections: Record<string, Section> = {};
  for (const name of names) {
    console.error(name);
    const section = await (SECTIONS[name] as (options: Options) => Promise<Section>)(options);
    sections[name] = section;
    printSection(section);
  }
  if (!options.quick) console.log(`\nwritten to ${await keep({ ...run, sections })}`);
}

/** What was asked on the command line, checked; null: help. */
function read(): { names: readonly string[]; options: Options } | null {
  const targets: readonly string[] = supportedTargets();
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    allowNegative: true,
    options: {
      repeats: { type: 'string', default: '3' },
      target: { type: 'string', default: process.env.SOMAFLOW_TARGET || (targets.at(-1) as string) },
      baseline: { type: 'boolean', default: true },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const { baseline, quick, target } = values;
  const repeats = Number(values.repeats);
  const check = (fits: boolean, what: string, expected: string, got: string) => {
    if (!fits) throw new Error(`${what}: expected ${expected}, got ${got}`);
  };
  check(Number.isInteger(repeats) && repeats > 0, '--repeats', 'an integer above 0', values.repeats);
  check(targets.includes(target), '--target', `one of ${targets.join(', ')}`, target);
  const known = Object.keys(SECTIONS);
  for (const name of positionals) check(known.includes(name), 'section', `one of ${known.join(', ')}`, name);
  const threads = [1, 2].filter((count) => count <= availableParallelism());
  const names = positionals.length > 0 ? positionals : known;
  return { names, options: { repeats, quick, baseline, threads, target } };
}
