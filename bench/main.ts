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

const { values, positionals } = parseArgs({
  allowPositionals: true,
  allowNegative: true,
  options: {
    repeats: { type: 'string', default: '3' },
    target: { type: 'string', default: process.env.SOMAFLOW_TARGET || (supportedTargets().at(-1) as string) },
    baseline: { type: 'boolean', default: true },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) process.stdout.write(HELP);
else await bench();

async function bench(): Promise<void> {
  const repeats = Number(values.repeats);
  if (!Number.isInteger(repeats) || repeats < 1)
    throw new Error(`--repeats: expected an integer above 0, got ${values.repeats}`);
  const named = positionals.length > 0 ? positionals : Object.keys(SECTIONS);
  for (const name of named) {
    if (!Object.hasOwn(SECTIONS, name)) throw new Error(`expected ${Object.keys(SECTIONS).join(', ')}, got ${name}`);
  }
  // Every program that is started takes it from here.
  process.env.SOMAFLOW_TARGET = values.target;
  const { baseline, quick, target } = values;
  const threads = [1, 2].filter((count) => count <= availableParallelism());
  const options: Options = { repeats, quick, baseline, threads, target };
  const run = await describeRun(options);
  console.log(
    `${run.date}, ${run.cpu}, ${run.cores} cores, ${target}, Node ${run.node}, commit ${run.commit}, ${repeats} rounds`,
  );
  const sections: Record<string, Section> = {};
  for (const name of named) {
    console.error(name);
    const section = await (SECTIONS[name] as (options: Options) => Promise<Section>)(options);
    sections[name] = section;
    printSection(section);
  }
  if (!quick) console.log(`\nwritten to ${await keep({ ...run, sections })}`);
}
