import { endianness } from 'node:os';
import { SourceError } from '../core/errors.js';
import type { Zyx } from '../core/geometry.js';
import type { Volume } from '../core/volume.js';
import type { StoredType } from '../native/fileReader.js';
import { openFiles } from './openFiles.js';
import { parsePythonLiteral } from './pythonLiteral.js';
import { readAt, readBoxes, statOf } from './readFile.js';
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

const MAGIC = Buffer.from('\x93NUMPY', 'latin1');
/** A header names one type and three numbers: what is longer by far is damaged. */
const MAX_HEADER_BYTES = 1 << 20;

async function readHeader(path: string, fd: number): Promise<Header> {
  const stats = await statOf(path, fd);
  if (!stats.isFile()) throw new SourceError(path, 'expected an NPY file, got a folder or device');
  const fileBytes = stats.size;
  const start = await readAt(path, fd, 0, 12);
  if (!start.subarray(0, 6).equals(MAGIC)) {
    const got = `${start.subarray(0, 6).toString('hex')}`;
    throw new SourceError(path, `not an NPY file, expected it to begin with ${MAGIC.toString('hex')}, got '${got}'`);
  }
  const version = start[6] ?? 0;
  if (start.length > 6 && (version < 1 || version > 3)) {
    throw new SourceError(path, `NPY version, expected 1, 2 or 3, got ${version}`);
  }
  // Version 1 counts the header in two bytes, the later ones in four.
  const headerAt = version === 1 ? 10 : 12;
  const headerBytes = start.length < headerAt ? 0 : version === 1 ? start.readUInt16LE(8) : start.readUInt32LE(8);
  const offsetBytes = headerAt + headerBytes;
  if (start.length < headerAt || fileBytes < offsetBytes) {
    throw new SourceError(path, `header is cut off, expected ${offsetBytes} bytes, got ${fileBytes}`);
  }
  if (headerBytes > MAX_HEADER_BYTES) {
    throw new SourceError(path, `header, expected at most ${MAX_HEADER_BYTES} bytes, got ${headerBytes}`);
  }
  const text = (await readAt(path, fd, headerAt, headerBytes)).toString(version === 3 ? 'utf8' : 'latin1');
  const description = parseHeader(path, text);
  const { size, type } = description;
  const wanted = offsetBytes + storedAs[type].bytes * size.z * size.y * size.x;
  if (fileBytes < wanted) {
    throw new SourceError(path, `ends at byte ${fileBytes}, expected at least ${wanted} bytes`);
  }
  return { ...description, offsetBytes };
}

/** The dictionary of the header, checked key by key. */
function parseHeader(path: string, text: string): Description {
  let header: unknown;
  try {
    header = parsePythonLiteral(text);
  } catch (error) {
    throw new SourceError(path, `header cannot be parsed: ${(error as Error).message}`, { cause: error });
  }
  const keys = header instanceof Map ? [...header.keys()].sort().join(', ') : 'no dictionary';
  if (!(header instanceof Map) || keys !== 'descr, fortran_order, shape') {
    throw new SourceError(path, `header, expected a dictionary of descr, fortran_order, shape, got ${keys}`);
  }
  const [descr, fortran, shape] = [header.get('descr'), header.get('fortran_order'), header.get('shape')];
  const [, order, letters = ''] = (typeof descr === 'string' && /^([<>|])(..)$/.exec(descr)) || [];
  const type = Object.hasOwn(types, letters) ? types[letters] : undefined;
  // A type of one byte has no byte order, and any other has one.
  if (type === undefined || (order === '|' && storedAs[type].bytes > 1)) {
    const got = typeof descr === 'string' ? `'${descr}'` : 'a structured type';
    throw new SourceError(path, `voxel type, expected bool, uint8, uint16, int16, uint32 or float32, got ${got}`);
  }
  if (typeof fortran !== 'boolean') {
    throw new SourceError(path, `fortran_order, expected True or False, got ${String(fortran)}`);
  }
  if (!Array.isArray(shape) || !shape.every((extent) => Number.isSafeInteger(extent) && (extent as number) >= 0)) {
    throw new SourceError(path, `shape, expected a tuple of whole numbers, got ${String(shape)}`);
  }
  const [z, y, x, ...more] = (fortran ? shape.toReversed() : shape) as number[];
  if (z === undefined || y === undefined || x === undefined || more.length > 0) {
    throw new SourceError(path, `array, expected 3 axes, got ${shape.length}: (${shape.join(', ')})`);
  }
  if (z === 0 || y === 0 || x === 0 || !Number.isSafeInteger(4 * z * y * x)) {
    throw new SourceError(path, `array, expected at least one voxel along each axis, got (${shape.join(', ')})`);
  }
  const swapped = order === (endianness() === 'LE' ? '>' : '<');
  return { size: { z, y, x }, type, swapped };
}
