import { endianness } from 'node:os';
import { SourceError } from '../core/errors.js';
import type { Zyx } from '../core/geometry.js';
import type { Volume } from '../core/volume.js';
import type { StoredType } from '../native/fileReader.js';
import { type NpyHeader, readNpyHeader } from './npyHeader.js';
import { openFiles } from './openFiles.js';
import { readBoxes } from './readFile.js';
import { checkRead } from './region.js';
import { storedAs } from './voxelTypes.js';

/**
 * Opens an array that NumPy saved, with three axes: bool (read as uint8 of 0 or 1), uint8, uint16 or float32; int16 and
 * uint32 become uint16, and reading a value that is none is an error.
 *
 * In C order the axes are z, y, x. In Fortran order they are x, y, z, as ClearMap writes `stitched.npy`: x is the
 * fastest in memory either way, so the voxels are read as they lie. Bytes after the array are ignored, as NumPy does.
 *
 * @throws {SourceError} if the file cannot be read, is no NPY file of version 1, 2 or 3, holds another type or
 * number of axes, an axis of length zero, or fewer bytes than its header says; when reading, naming the voxel, if a value
 * is below 0 or above 65535
 * @example const volume = await npy('stitched.npy')
 */
export async function npy(path: string): Promise<Volume> {
  const { size, offsetBytes, type, swapped } = await openFiles.use(path, (fd) => readHeader(path, fd));
  const { bytes, dtype } = storedAs[type];
  const rowStrideBytes = bytes * size.x;
  const planeStrideBytes = rowStrideBytes * size.y;
  return {
    id: path,
    size,
    dtype,
    async read(region, into, signal) {
      checkRead(path, size, dtype, region, into);
      const { start, stop } = region;
      const box = {
        offsetBytes: offsetBytes + start.z * planeStrideBytes + start.y * rowStrideBytes + bytes * start.x,
        planes: stop.z - start.z,
        rows: stop.y - start.y,
        rowBytes: bytes * (stop.x - start.x),
        planeStrideBytes,
        rowStrideBytes,
      };
      const layout = { boxes: [box], type, swapped };
      await openFiles.use(path, (fd) => readBoxes(path, fd, layout, region, into, signal), signal);
    },
  };
}

/** What the dictionary of the header says. */
interface Description {
  readonly size: Zyx;
  readonly type: StoredType;
  /** Whether the file's byte order is not the machine's. */
  readonly swapped: boolean;
}

interface Header extends Description {
  /** Where the voxels begin. */
  readonly offsetBytes: number;
}

/** NumPy's letters for the types that are read; a character before them tells the byte order. */
const types: Readonly<Record<string, StoredType>> = {
  u1: 'uint8',
  b1: 'bool',
  u2: 'uint16',
  i2: 'int16',
  u4: 'uint32',
  f4: 'float32',
};

async function readHeader(path: string, fd: number): Promise<Header> {
  const { fileBytes, offsetBytes, ...header } = await readNpyHeader(path, fd);
  const description = voxelsOf(path, header);
  const { size, type } = description;
  const wanted = offsetBytes + storedAs[type].bytes * size.z * size.y * size.x;
  if (fileBytes < wanted) {
    throw new SourceError(path, `ends at byte ${fileBytes}, expected at least ${wanted} bytes`);
  }
  return { ...description, offsetBytes };
}

/** How the voxels lie, if they are of a type and number of axes that a volume has. */
function voxelsOf(path: string, header: Pick<NpyHeader, 'descr' | 'fortran' | 'shape'>): Description {
  const { descr, fortran, shape } = header;
  const [, order, letters = ''] = (typeof descr === 'string' && /^([<>|])(..)$/.exec(descr)) || [];
  const type = Object.hasOwn(types, letters) ? types[letters] : undefined;
  // A type of one byte has no byte order, and any other has one.
  if (type === undefined || (order === '|' && storedAs[type].bytes > 1)) {
    const got = typeof descr === 'string' ? `'${descr}'` : 'a structured type';
    throw new SourceError(path, `voxel type, expected bool, uint8, uint16, int16, uint32 or float32, got ${got}`);
  }
  const [z, y, x, ...more] = fortran ? shape.toReversed() : shape;
  if (z === undefined || y === undefined || x === undefined || more.length > 0) {
    throw new SourceError(path, `array, expected 3 axes, got ${shape.length}: (${shape.join(', ')})`);
  }
  if (z === 0 || y === 0 || x === 0 || !Number.isSafeInteger(4 * z * y * x)) {
    throw new SourceError(path, `array, expected at least one voxel along each axis, got (${shape.join(', ')})`);
  }
  const swapped = order === (endianness() === 'LE' ? '>' : '<');
  return { size: { z, y, x }, type, swapped };
}
