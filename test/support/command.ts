import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { ExecutionContext } from 'ava';
import { COMMAND, inProject } from './paths.js';

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts Node with these arguments in a folder. */
export function startIn(folder: string, args: readonly string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, args, { cwd: folder });
}

/** Starts the command in the repository's root. */
export function start(args: readonly string[]): ChildProcessWithoutNullStreams {
  return startIn(inProject('.'), [COMMAND, ...args]);
}

/** What a started program came to. */
export async function ended(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  const [[code, signal], stdout, stderr] = await Promise.all([
    once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code, signal, stdout, stderr };
}

/** Runs the command to its end. */
export function run(...args: readonly string[]): Promise<Ended> {
  return ended(start(args));
}

/** An empty folder that goes when the test does. */
export async function scratch(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'somaflow-test-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** One line on stderr, that fits the pattern; exit code 1; the folder holds what it held. */
export async function refuses(
  t: ExecutionContext,
  folder: string,
  args: readonly string[],
  pattern: RegExp,
): Promise<void> {
  const before = await readdir(folder);
  const { code, stdout, stderr } = await run(...args);
  const what = args.join(' ');
  t.is(code, 1, what);
  t.is(stdout, '', what);
  t.regex(stderr, /^somaflow: [^\n]+\n$/, what);
  t.regex(stderr, pattern, what);
  t.deepEqual(await readdir(folder), before, what);
}
