import { SourceError } from '../core/errors.js';
import { type NpyHeader, readNpyHeader } from './npyHeader.js';
import { openFiles } from './openFiles.js';
import { readAt } from './readFile.js';

/** A plane of numbers: x fastest, then y. */
export interface Flatfield {
  readonly data: Float64Array;
  readonly size: { readonly y: number; readonly x: number };
}

/** A camera's sensor has fewer pixels; what has more is a volume. */
const MOST_PIXELS = 2 ** 28;

interface Type {
  readonly bytes: number;
  readonly get: (view: DataView, at: number, little: boolean) => number;
}

/** NumPy's letters for the types that are read; a character before them tells the byte order. */
const types: Readonly<Record<string, Type>> = {
  u1: { bytes: 1, get: (view, at) => view.getUint8(at) },
  u2: { bytes: 2, get: (view, at, little) => view.getUint16(at, little) },
  f4: { bytes: 4, get: (view, at, little) => view.getFloat32(at, little) },
  f8: { bytes: 8, get: (view, at, little) => view.getFloat64(at, little) },
};

/**
 * Reads a flat field, or its background, that NumPy saved: an array of two axes of uint8, uint16, float32 or float64.
 *
 * The axes are y, x in C order and in Fortran order alike: what counts is what NumPy calls them, not how they lie. Bytes after the
 * array are ignored, as NumPy does.
 *
 * @returns a float64 plane [y, x], x fastest, in the file's unit
 * @throws {SourceError} if the file cannot be read, is no NPY file of version 1, 2 or 3, holds another type or number of axes, an
 * axis of length zero, or fewer bytes than its header says
 * @example
 * const [flatfield, background] = await Promise.all([readFlatfield('flatfield.npy'), readFlatfield('dark.npy')]);
 * applied(volume, correctIllumination({ flatfield, background }))
 */
export function readFlatfield(path: string): Promise<Flatfield> {
  return openFiles.use(path, (fd) => readPlane(path, fd));
}

async function readPlane(path: string, fd: number): Promise<Flatfield> {
  const header = await readNpyHeader(path, fd);
  const { type, little } = typeOf(path, header);
  const size = sizeOf(path, header);
  const count = size.y * size.x;
  const wanted = header.offsetBytes + count * type.bytes;
  const bytes = await readAt(path, fd, header.offsetBytes, count * type.bytes);
  if (bytes.length < count * type.bytes) {
    throw new SourceError(path, `ends at byte ${header.offsetBytes + bytes.length}, expected at least ${wanted} bytes`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const data = new Float64Array(count);
  // In Fortran order y is the fastest in the file.
  const [rowStride, columnStride] = header.fortran ? [1, size.y] : [size.x, 1];
  for (let y = 0, pixel = 0; y < size.y; y++) {
    for (let x = 0; x < size.x; x++, pixel++) {
      data[pixel] = type.get(view, (y * rowStride + x * columnStride) * type.bytes, little);
    }
  }
  return { data, size };
}

function typeOf(path: string, { descr }: NpyHeader): { type: Type; little: boolean } {
  const [, order, letters = ''] = (typeof descr === 'string' && /^([<>|])(..)$/.exec(descr)) || [];
  const type = Object.hasOwn(types, letters) ? types[letters] : undefined;
  // A type of one byte has no byte order, and any other has one.
  if (type === undefined || (order === '|') !== (type.bytes === 1)) {
    const got = typeof descr === 'string' ? `'${descr}'` : 'a structured type';
    throw new SourceError(path, `pixel type, expected uint8, uint16, float32 or float64, got ${got}`);
  }
  return { type, little: order === '<' };
}

function sizeOf(path: string, { shape }: NpyHeader): Flatfield['size'] {
  const [y, x, ...more] = shape;
  if (y === undefined || x === undefined || more.length > 0) {
    throw new SourceError(path, `array, expected 2 axes, got ${shape.length}: (${shape.join(', ')})`);
  }
  if (y === 0 || x === 0 || y * x > MOST_PIXELS) {
    throw new SourceError(path, `array, expected 1 to ${MOST_PIXELS} pixels, got (${shape.join(', ')})`);
  }
  return { y, x };
}
