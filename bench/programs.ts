import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
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

/** Runs a program that prints lines of JSON. */
export async function jsonLines<T>(program: string, args: readonly string[]): Promise<T[]> {
  const lines = (await output(program, args)).trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as T);
}

/** Whether Python is there with these modules. */
export async function hasPython(modules: readonly string[]): Promise<boolean> {
  const code = `import importlib.util as u; print(all(u.find_spec(m) for m in ${JSON.stringify(modules)}))`;
  const found = await output(PYTHON, ['-c', code]).catch(() => '');
  return found.trim() === 'True';
}

/** What `--json` of the command prints, which counts from the first read, and the seconds of the process from its start to its end. */
export interface Figures {
  readonly voxels: number;
  readonly cells: number;
  readonly mvoxelPerSecond: number;
  readonly peakBytes: number;
  readonly blocks: number;
  readonly wallSeconds: number;
}

/** Runs the command on a volume; the table goes to the temporary folder. */
export async function detect(volume: string, options: readonly string[]): Promise<Figures> {
  const out = join(tmpdir(), `somaflow-bench-${process.pid}.csv`);
  const args = [inProject('dist/cli/main.js'), 'detect', volume, '--out', out, '--quiet', '--json', ...options];
  const start = performance.now();
  const [figures] = await jsonLines<Omit<Figures, 'wallSeconds'>>(process.execPath, args);
  const wallSeconds = (performance.now() - start) / 1000;
  await Promise.all([out, `${out}.json`].map((file) => rm(file)));
  return { ...(figures as Figures), wallSeconds };
}

/** Peak resident memory of a Node that does nothing. */
export async function bareNodeBytes(): Promise<number> {
  const peak = await output(process.execPath, ['-e', 'console.log(process.resourceUsage().maxRSS * 1024)']);
  return Number(peak);
}
