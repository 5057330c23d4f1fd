import { CellTable, type Column } from '../core/cellTable.js';
import { SourceError } from '../core/errors.js';
import { type NpyHeader, readNpyHeader } from './npyHeader.js';
import type { PythonLiteral } from './pythonLiteral.js';
import { readAt } from './readFile.js';

/** Records read at a time take about this many bytes: some ms of the JavaScript thread. */
const PIECE_BYTES = 1 << 18;

type Get = (view: DataView, at: number, little: boolean) => number;

/** How a number of each of NumPy's types is read, by what follows the byte order in its name. */
const readers: Readonly<Record<string, Get>> = {
  i1: (view, at) => view.getInt8(at),
  u1: (view, at) => view.getUint8(at),
  i2: (view, at, little) => view.getInt16(at, little),
  u2: (view, at, little) => view.getUint16(at, little),
  i4: (view, at, little) => view.getInt32(at, little),
  u4: (view, at, little) => view.getUint32(at, little),
  // Two words, since a BigInt for each value is slow. Where 2^53 is exceeded the sum is rounded, and refused all the same.
  i8: (view, at, little) =>
    view.getInt32(at + (little ? 4 : 0), little) * 2 ** 32 + view.getUint32(at + (little ? 0 : 4), little),
  u8: (view, at, little) =>
    view.getUint32(at + (little ? 4 : 0), little) * 2 ** 32 + view.getUint32(at + (little ? 0 : 4), little),
  f4: (view, at, little) => view.getFloat32(at, little),
  f8: (view, at, little) => view.getFloat64(at, little),
};

interface Field {
  readonly name: string;
  readonly type: string;
  readonly little: boolean;
  /** Where it is in a record. */
  readonly offsetBytes: number;
}

/** Reads a structured array of one axis, piece by piece. See `readCells`. */
export async function readNpyCells(path: string, fd: number): Promise<CellTable> {
  const header = await readNpyHeader(path, fd);
  const { fields, recordBytes } = fieldsOf(path, header);
  const [count, ...more] = header.shape;
  if (count === undefined || more.length > 0) {
    throw new SourceError(path, `table, expected one axis, got ${header.shape.length}: (${header.shape.join(', ')})`);
  }
  const wanted = header.offsetBytes + count * recordBytes;
  if (header.fileBytes < wanted) {
    throw new SourceError(path, `ends at byte ${header.fileBytes}, expected at least ${wanted} bytes`);
  }
  const columns = new Map<string, Column>();
  for (const { name, type } of fields) {
    columns.set(name, type.startsWith('f') ? new Float64Array(count) : new Int32Array(count));
  }
  const pieceRows = Math.max(1, Math.floor(PIECE_BYTES / Math.max(1, recordBytes)));
  for (let row = 0; row < count; row += pieceRows) {
    const rows = Math.min(pieceRows, count - row);
    const at = header.offsetBytes + row * recordBytes;
    const bytes = await readAt(path, fd, at, rows * recordBytes);
    if (bytes.length < rows * recordBytes) {
      throw new SourceError(path, `ends at byte ${at + bytes.length}, expected at least ${wanted} bytes`);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (const field of fields) {
      const column = (columns.get(field.name) as Column).subarray(row, row + rows);
      const wrong = fill(column, view, field, recordBytes);
      if (wrong === undefined) continue;
      throw new SourceError(
        path,
        `row ${row + wrong}, column ${field.name}: expected an integer of 32 bits, got ${exact(
          view,
          wrong * recordBytes,
          field,
        )}`,
      );
    }
  }
  return new CellTable(columns);
}

/** Reads one field of every record; returns the first row whose value the column cannot hold. */
function fill(column: Column, view: DataView, { type, little, offsetBytes }: Field, recordBytes: number) {
  const get = readers[type] as Get;
  const integer = column instanceof Int32Array;
  for (let row = 0, at = offsetBytes; row < column.length; row++, at += recordBytes) {
    const value = get(view, at, little);
    column[row] = value;
    // An Int32Array keeps the lower 32 bits of what is too large.
    if (integer && column[row] !== value) return row;
  }
  return undefined;
}

/** An integer of up to 64 bits, in all its digits. */
function exact(view: DataView, record: number, { type, little, offsetBytes }: Field): bigint | number {
  const at = record + offsetBytes;
  if (type === 'i8') return view.getBigInt64(at, little);
  if (type === 'u8') return view.getBigUint64(at, little);
  return (readers[type] as Get)(view, at, little);
}

/** The fields of a record. Those without a name are the padding of aligned records. */
function fieldsOf(path: string, { descr }: NpyHeader): { fields: Field[]; recordBytes: number } {
  if (!Array.isArray(descr)) {
    const got = typeof descr === 'string' ? `'${descr}'` : 'something else';
    throw new SourceError(path, `type, expected a structured one such as [('x', '<i8'), ('y', '<i8')], got ${got}`);
  }
  const fields: Field[] = [];
  let recordBytes = 0;
  for (const field of descr) {
    const { name, type, order } = fieldOf(path, field);
    const padding = name === '' && type.startsWith('V');
    if (!padding && !Object.hasOwn(readers, type)) {
      const expected = 'an integer of 1 to 8 bytes or a float of 4 or 8 bytes';
      throw new SourceError(path, `field ${name}, expected ${expected}, got '${order}${type}'`);
    }
    if (fields.some((other) => other.name === name)) {
      throw new SourceError(path, `field ${name}, expected it once, got it twice`);
    }
    if (!padding) fields.push({ name, type, little: order !== '>', offsetBytes: recordBytes });
    recordBytes += Number(type.slice(1));
  }
  return { fields, recordBytes };
}

/** Splits `('x', '<i8')`. NumPy writes no `=`: the byte order is always told. */
function fieldOf(path: string, field: PythonLiteral): { name: string; type: string; order: string } {
  const [name, descr, ...more] = Array.isArray(field) ? field : [];
  const [, order, type] = (typeof descr === 'string' && /^([<>|])([a-zA-Z]\d+)$/.exec(descr)) || [];
  if (typeof name !== 'string' || order === undefined || type === undefined || more.length > 0) {
    const got = typeof name === 'string' ? `field ${name} of another` : 'another';
    throw new SourceError(path, `type, expected fields of one number each such as ('x', '<i8'), got ${got}`);
  }
  return { name, type, order };
}
