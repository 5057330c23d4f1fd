import { endianness } from 'node:os';
import { SourceError } from '../core/errors.js';
import type { Zyx } from '../core/geometry.js';
import type { Volume } from '../core/volume.js';
import { type NpyHeader, readNpyHeader } from './npyHeader.js';
import { openFiles } from './openFiles.js';
import { readBoxes } from './readFile.js';
import { checkRead } from './region.js';

/**
 * Opens an array that NumPy saved: uint16, three axes.
 *
 * In C order the axes are z, y, x. In Fortran order they are x, y, z, as ClearMap writes `stitched.npy`: x is the
 * fastest in memory either way, so the voxels are read as they lie. Bytes after the array are ignored, as NumPy does.
 *
 * @throws {SourceError} if the file cannot be read, is no NPY file of version 1, 2 or 3, holds another type or
 * number of axes, an axis of length zero, or fewer bytes than its header says
 * @example const volume = await npy('stitched.npy')
 */
export async function npy(path: string): Promise<Volume> {
  const { size, offsetBytes, swap16 } = await openFiles.use(path, (fd) => readHeader(path, fd));
  const rowStrideBytes = 2 * size.x;
  const planeStrideBytes = rowStrideBytes * size.y;
  return {
    id: path,
    size,
    dtype: 'uint16',
    async read(region, into, signal) {
      checkRead(path, size, region, into);
      const { start, stop } = region;
      const box = {
        offsetBytes: offsetBytes + start.z * planeStrideBytes + start.y * rowStrideBytes + 2 * start.x,
        planes: stop.z - start.z,
        rows: stop.y - start.y,
        rowBytes: 2 * (stop.x - start.x),
        planeStrideBytes,
        rowStrideBytes,
      };
      await openFiles.use(path, (fd) => readBoxes(path, fd, { boxes: [box], swap16 }, into, signal));
    },
  };
}

interface Header {
  readonly size: Zyx;
  /** Where the voxels begin. */
  readonly offsetBytes: number;
  /** Whether the file's byte order is not the machine's. */
  readonly swap16: boolean;
}

async function readHeader(path: string, fd: number): Promise<Header> {
  const { fileBytes, offsetBytes, ...header } = await readNpyHeader(path, fd);
  const { size, swap16 } = voxelsOf(path, header);
  const wanted = offsetBytes + 2 * size.z * size.y * size.x;
  if (fileBytes < wanted) {
    throw new SourceError(path, `ends at byte ${fileBytes}, expected at least ${wanted} bytes`);
  }
  return { size, offsetBytes, swap16 };
}

/** How the voxels lie, if they are of a type and number of axes that a volume has. */
function voxelsOf(
  path: string,
  { descr, fortran, shape }: Pick<NpyHeader, 'descr' | 'fortran' | 'shape'>,
): { size: Zyx; swap16: boolean } {
  const order = descr === '<u2' ? 'LE' : descr === '>u2' ? 'BE' : undefined;
  if (order === undefined) {
    const got = typeof descr === 'string' ? `'${descr}'` : 'a structured type';
    throw new SourceError(path, `voxel type, expected uint16 ('<u2' or '>u2'), got ${got}`);
  }
  const [z, y, x, ...more] = fortran ? shape.toReversed() : shape;
  if (z === undefined || y === undefined || x === undefined || more.length > 0) {
    throw new SourceError(path, `array, expected 3 axes, got ${shape.length}: (${shape.join(', ')})`);
  }
  if (z === 0 || y === 0 || x === 0 || !Number.isSafeInteger(2 * z * y * x)) {
    throw new SourceError(path, `array, expected at least one voxel along each axis, got (${shape.join(', ')})`);
  }
  return { size: { z, y, x }, swap16: order !== endianness() };
}
