import { read as readCallback } from 'node:fs';
import { promisify } from 'node:util';
import { SourceError } from '../core/errors.js';
import { readStrided, type StridedLayout } from '../native/fileReader.js';

const read = promisify(readCallback);

/** Reads voxels natively; errors name the file. */
export async function readBoxes(
  path: string,
  fd: number,
  layout: StridedLayout,
  into: Uint16Array,
  signal: AbortSignal,
): Promise<void> {
  try {
    await readStrided(fd, layout, into, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw new SourceError(path, (error as Error).message, { cause: error });
  }
}

/** Reads a few bytes of a header; fewer than asked for where the file ends. */
export async function readAt(fd: number, position: number, length: number): Promise<Buffer> {
  // A buffer of its own, not a piece of Node's pool, since parsers look at the whole ArrayBuffer.
  const buffer = Buffer.from(new ArrayBuffer(length));
  let done = 0;
  while (done < length) {
    const { bytesRead } = await read(fd, buffer, done, length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return buffer.subarray(0, done);
}
