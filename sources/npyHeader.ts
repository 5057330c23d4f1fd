import { SourceError } from '../core/errors.js';
import { type PythonLiteral, parsePythonLiteral } from './pythonLiteral.js';
import { readAt, statOf } from './readFile.js';

/** What an NPY file says of its array. */
export interface NpyHeader {
  /** The type of an element: a text such as `'<u2'`, or a list of fields. */
  readonly descr: PythonLiteral;
  /** Whether the first axis, not the last, is the fastest in memory. */
  readonly fortran: boolean;
  readonly shape: readonly number[];
  /** Where the array begins. */
  readonly offsetBytes: number;
  /** The length of the file. */
  readonly fileBytes: number;
}

const MAGIC = Buffer.from('\x93NUMPY', 'latin1');
/** A header names types and extents: what is longer by far is damaged. */
const MAX_HEADER_BYTES = 1 << 20;

/**
 * Reads the header of an NPY file of version 1, 2 or 3.
 *
 * @throws {SourceError} if it is no such file, or its header is cut off or says something else than NumPy's do
 */
export async function readNpyHeader(path: string, fd: number): Promise<NpyHeader> {
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
  return { ...parseHeader(path, text), offsetBytes, fileBytes };
}

/** The dictionary of the header, checked key by key. */
function parseHeader(path: string, text: string): Pick<NpyHeader, 'descr' | 'fortran' | 'shape'> {
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
  if (typeof fortran !== 'boolean') {
    throw new SourceError(path, `fortran_order, expected True or False, got ${String(fortran)}`);
  }
  if (!Array.isArray(shape) || !shape.every((extent) => Number.isSafeInteger(extent) && (extent as number) >= 0)) {
    throw new SourceError(path, `shape, expected a tuple of whole numbers, got ${String(shape)}`);
  }
  return { descr, fortran, shape };
}
