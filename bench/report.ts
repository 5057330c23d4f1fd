/** What is told of a benchmark: tables for people, and a file that is kept. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Row } from './contenders.js';
import { inProject, output } from './programs.js';
import type { Options, Section } from './section.js';
import { printTable } from './table.js';

/** What bench/results/<date>.json holds; figures without another unit are Mvoxel/s. */
export interface Results {
  readonly date: string;
  readonly commit: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly target: string;
  readonly node: string;
  readonly threads: readonly number[];
  readonly repeats: number;
  readonly sections: Readonly<Record<string, Section>>;
}

export async function describeRun({ target, threads, repeats }: Options): Promise<Omit<Results, 'sections'>> {
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: await commit(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    target,
    node: process.version,
    threads,
    repeats,
  };
}

/** The results themselves are no change of what is measured. */
async function commit(): Promise<string> {
  const git = (...args: string[]) => output('git', ['-C', inProject('.'), ...args]);
  try {
    const changes = await git('status', '--porcelain', '--', '.', ':!bench/results');
    return `${(await git('rev-parse', 'HEAD')).trim()}${changes.trim() === '' ? '' : '-dirty'}`;
  } catch {
    return 'unknown';
  }
}

/**
 * Writes the results of the day into a folder. Sections that were not run stay what they are, if they were run in the same way.
 *
 * @returns the file's path
 */
export async function keep(results: Results, folder = inProject('bench/results')): Promise<string> {
  const path = join(folder, `${results.date}.json`);
  const { sections, ...run } = results;
  const { sections: before = {}, ...earlier } = await readFile(path, 'utf8').then(
    (text) => JSON.parse(text) as Partial<Results>,
    () => ({}) as Partial<Results>,
  );
  const alike = JSON.stringify(earlier) === JSON.stringify(run, rounded);
  const kept = { ...run, sections: { ...(alike ? before : {}), ...sections } };
  await mkdir(folder, { recursive: true });
  await writeFile(path, `${JSON.stringify(kept, rounded, 2)}\n`);
  return path;
}

/** Six digits are more than noise leaves. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(6)) : value;
}

export function printSection({ title, rows }: Section): void {
  const ratios = [...new Set(rows.flatMap((row) => Object.keys(row.ratios)))];
  const notes = [...new Set(rows.flatMap((row) => Object.keys(row.notes)))];
  const head = [title, 'Mvoxel/s', 'from..to', ...ratios.map((name) => `x ${name}`), ...notes.map(heading)];
  console.log();
  printTable([head, ...rows.map((row) => lineOf(row, ratios, notes))]);
}

function lineOf(row: Row, ratios: readonly string[], notes: readonly string[]): string[] {
  return [
    row.name,
    short(row.median),
    `${short(row.from)}..${short(row.to)}`,
    ...ratios.map((name) => text(row.ratios[name], short)),
    ...notes.map((name) => text(row.notes[name], (value) => noted(name, value))),
  ];
}

function text(value: number | undefined, write: (value: number) => string): string {
  return value === undefined ? '' : write(value);
}

/** Three digits, or all of an integer that has more. */
function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function noted(name: string, value: number): string {
  if (name.endsWith('Bytes')) return (value / 1e6).toFixed(0);
  return Number.isInteger(value) ? String(value) : short(value);
}

const HEADINGS: Readonly<Record<string, string>> = {
  started: 'once started',
  peakBytes: 'peak MB',
  footprintBytes: 'footprint MB',
  nsPerVoxel: 'ns/voxel',
  cpuSeconds: 'CPU s',
};

function heading(name: string): string {
  return HEADINGS[name] ?? name;
}
