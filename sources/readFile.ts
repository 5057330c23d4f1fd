import { fstat as fstatCallback, read as readCallback, type Stats } from 'node:fs';
import { promisify } from 'node:util';
import { SourceError } from '../core/errors.js';
import { extent, type Region } from '../core/geometry.js';
import { describeSystemError } from '../core/systemError.js';
import type { Voxels } from '../core/volume.js';
import { ReadError, readStrided, type StridedLayout, ValueError } from '../native/fileReader.js';

const read = promisify(readCallback);
const fstat = promisify(fstatCallback);

/**
 * Fills a packed array with the voxels of a region; errors name the file, and the voxel where it is a voxel's.
 *
 * @throws {SourceError} if the file ends too early or cannot be read, or a value is no uint16
 */
export async function readBoxes(
  path: string,
  fd: number,
  layout: StridedLayout,
  region: Region,
  into: Voxels,
  signal: AbortSignal,
): Promise<void> {
  try {
    await readStrided(fd, layout, into, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw new SourceError(path, problemOf(error, region), { cause: error });
  }
}

function problemOf(error: unknown, region: Region): string {
  if (error instanceof ReadError) return `cannot be read at byte ${error.atByte}: ${describeSystemError(error)}`;
  if (!(error instanceof ValueError)) return (error as Error).message;
  const { start } = region;
  const { y, x } = extent(region);
  const row = Math.floor(error.index / x);
  const at = `z ${start.z + Math.floor(row / y)}, y ${start.y + (row % y)}, x ${start.x + (error.index % x)}`;
  return `voxel at ${at}, expected a value of 0..65535, got ${error.value}`;
}

/** Reads a few bytes of a header; fewer than asked for where the file ends. */
export async function readAt(path: string, fd: number, position: number, length: number): Promise<Buffer> {
  // A buffer of its own, not a piece of Node's pool, since parsers look at the whole ArrayBuffer.
  const buffer = Buffer.from(new ArrayBuffer(length));
  let done = 0;
  while (done < length) {
    const asked = read(fd, buffer, done, length - done, position + done);
    const { bytesRead } = await asked.catch(unreadable(path));
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return buffer.subarray(0, done);
}

/** What the system knows of an open file. */
export function statOf(path: string, fd: number): Promise<Stats> {
  return fstat(fd).catch(unreadable(path));
}

function unreadable(path: string): (cause: unknown) => never {
  return (cause) => {
    throw new SourceError(path, `cannot be read: ${describeSystemError(cause)}`, { cause });
  };
}
