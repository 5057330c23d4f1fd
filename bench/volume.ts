import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rename, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export const PYTHON = process.env.PYTHON ?? '/usr/bin/python3';

/** A path in the repository; benchmarks run from dist/bench. */
export function inProject(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

/** Runs a program to its end and returns what it wrote on stdout. */
export async function output(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [[code], stdout] = await Promise.all([once(child, 'close'), text(child.stdout)]);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}`);
  return stdout;
}

/** What `--json` of the command prints. */
export interface Figures {
  readonly voxels: number;
  readonly cells: number;
  readonly seconds: number;
  readonly mvoxelPerSecond: number;
  readonly peakBytes: number;
  readonly blocks: number;
  readonly seams: number;
  readonly bytesRead: number;
  readonly target: string;
  readonly threads: number;
}

/** Runs the command on a volume; the table goes to the temporary folder. */
export async function detect(volume: string, ...options: readonly string[]): Promise<Figures> {
  const out = join(tmpdir(), `somaflow-bench-${process.pid}.csv`);
  const args = [inProject('dist/cli/main.js'), 'detect', volume, '--out', out, '--quiet', '--json', ...options];
  const lines = (await output(process.execPath, args)).trimEnd().split('\n');
  return JSON.parse(lines.at(-1) ?? '') as Figures;
}

/** The synthetic volume of so many planes of 2048 x 2048, made once and kept in the temporary folder. */
export async function synthetic(planes: number): Promise<string> {
  const path = join(tmpdir(), `somaflow-bench-${planes}x2048x2048.npy`);
  if (await stat(path).catch(() => undefined)) return path;
  console.error(`making ${path}`);
  const unfinished = `${path}.${process.pid}.npy`;
  await output(PYTHON, [inProject('bench/make_volume.py'), unfinished, String(planes), '2048', '2048']);
  await rename(unfinished, path);
  return path;
}

/** Reads the whole file once, so that every program measured finds it in the page cache. */
export async function warm(path: string): Promise<void> {
  await output('/bin/sh', ['-c', 'cat "$0" > /dev/null', path]);
}
