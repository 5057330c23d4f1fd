import { endianness } from 'node:os';
import { SinkError } from '../core/errors.js';

/** The mark of the machine's byte order in NumPy's names of types. */
export const BYTE_ORDER = endianness() === 'LE' ? '<' : '>';

/** NumPy aligns what comes after the header to this many bytes, so that it can be mapped into memory. */
const ALIGNMENT = 64;
/** Digits of the longest extent: room is kept for it, so that a header that is written again has its length. */
const EXTENT_DIGITS = 16;

/** The header of an NPY file in C order: as long for every shape of as many axes. `descr` is the type as Python writes it. */
export function npyHeader(sink: string, descr: string, shape: readonly number[]): Uint8Array {
  const extents = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const words = `{'descr': ${descr}, 'fortran_order': False, 'shape': (${extents}), }`;
  // Version 1 says Latin-1 and knows two bytes of length; version 3 says UTF-8, and four.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant
  const version = /^[\x00-\x7f]*$/.test(words) ? 1 : 3;
  const headBytes = version === 1 ? 10 : 12;
  const room = EXTENT_DIGITS * shape.length - shape.join('').length;
  const least = headBytes + Buffer.byteLength(words) + room + 1;
  const totalBytes = Math.ceil(least / ALIGNMENT) * ALIGNMENT;
  if (version === 1 && totalBytes - headBytes > 0xffff) {
    throw new SinkError(sink, `the names of the columns are too long for the header, got ${totalBytes} bytes`);
  }
  const header = Buffer.alloc(totalBytes, ' ');
  header.write('\x93NUMPY', 'latin1');
  header.set([version, 0], 6);
  if (version === 1) header.writeUInt16LE(totalBytes - headBytes, 8);
  else header.writeUInt32LE(totalBytes - headBytes, 8);
  header.write(words, headBytes, 'utf8');
  header.write('\n', totalBytes - 1);
  return header;
}

/** A text as Python's literal, for names of fields. Quotes and control characters would need escapes, which few readers know. */
export function pythonString(sink: string, text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
  if (text === '' || /['"\\\x00-\x1f]/.test(text)) {
    throw new SinkError(
      sink,
      `a column's name, expected one without quotes and backslashes, got ${JSON.stringify(text)}`,
    );
  }
  return `'${text}'`;
}
