import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { OptionError } from '../core/errors.js';
import type { CellSink } from '../sinks/sink.js';
import { sinkFor } from '../sinks/sinkFor.js';

/** Collects the values of an option that may come several times. */
export function collected(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/**
 * The sinks of the files that a command writes, each known by its ending. What cannot be written is refused before any work is done.
 *
 * @throws {OptionError} of the option `--out` of `where`
 */
export async function outputs(where: string, outs: readonly string[], source: string): Promise<CellSink[]> {
  const paths = outs.map((out) => resolve(out));
  for (const [at, out] of outs.entries()) {
    const refuse = (expected: string): never => {
      throw new OptionError(where, '--out', expected, out);
    };
    const path = paths[at] as string;
    const folder = dirname(path);
    if (path === resolve(source)) refuse('another file than the source');
    if (paths.indexOf(path) !== at) refuse('another file each time');
    if (out === '' || (await stat(out).catch(() => undefined))?.isDirectory()) refuse('a file, not a folder');
    if (!(await stat(folder).catch(() => undefined))?.isDirectory()) refuse(`in a folder that exists, not ${folder}`);
    await access(folder, constants.W_OK).catch(() => refuse(`in a folder that can be written, not ${folder}`));
  }
  return outs.map((out) => sinkOf(where, out));
}

function sinkOf(where: string, out: string): CellSink {
  try {
    return sinkFor(out);
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    throw new OptionError(where, '--out', error.expected, out);
  }
}
