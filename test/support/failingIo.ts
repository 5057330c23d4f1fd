/** Child processes for which the system refuses to open or read one file, so many times. */
import { execFile, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Ended, ended } from './command.js';
import { inProject } from './paths.js';

export interface Failure {
  readonly path: string;
  /** `stale`: every read through the first descriptors of the file, until it is opened once more. */
  readonly call: 'open' | 'read' | 'stale';
  readonly error: 'EIO' | 'EAGAIN' | 'ESTALE' | 'EACCES';
  readonly times: number;
  /** Reads before this byte succeed. */
  readonly fromByte?: number;
}

/** Compiles what makes calls fail, into a folder; resolves with the library's path. */
export async function compileFailingIo(folder: string): Promise<string> {
  const library = join(folder, 'failing_io.so');
  const source = inProject('test/support/failing_io.cc');
  await promisify(execFile)('g++', ['-std=c++20', '-O1', '-shared', '-fPIC', source, '-o', library, '-ldl']);
  return library;
}

/** Runs Node with these arguments to its end, the failure happening to it. */
export function runFailing(library: string, failure: Failure, args: readonly string[]): Promise<Ended> {
  const { path, call, error, times, fromByte = 0 } = failure;
  const env = {
    ...process.env,
    LD_PRELOAD: library,
    FAIL_PATH: path,
    FAIL_CALL: call,
    FAIL_ERRNO: String(constants.errno[error]),
    FAIL_TIMES: String(times),
    FAIL_FROM: String(fromByte),
  };
  return ended(spawn(process.execPath, args, { env }));
}
