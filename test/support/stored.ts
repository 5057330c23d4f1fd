/** Numbers as the bytes of a file, for the tests of what reads them. */
import { type StoredType, storedTypes } from '../../native/fileReader.js';

/** Every way in which a voxel may be stored, but for bool, which TIFF does not have. */
export const numberTypes = storedTypes.filter((type) => type !== 'bool');

const bytesOf: Readonly<Record<StoredType, number>> = { bool: 1, uint8: 1, uint16: 2, int16: 2, uint32: 4, float32: 4 };

/** The bytes of each number in turn. */
export function storedBytes(type: StoredType, values: ArrayLike<number>, bigEndian = false): Buffer {
  const bytes = bytesOf[type];
  const stored = new DataView(new ArrayBuffer(bytes * values.length));
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (type === 'float32') stored.setFloat32(4 * i, value, !bigEndian);
    else if (type === 'uint32') stored.setUint32(4 * i, value, !bigEndian);
    else if (type === 'int16') stored.setInt16(2 * i, value, !bigEndian);
    else if (type === 'uint16') stored.setUint16(2 * i, value, !bigEndian);
    else stored.setUint8(i, value);
  }
  return Buffer.from(stored.buffer);
}

/** Numbers that the type can store and that a volume may hold, each unlike its neighbours; as the array that reads of them fill. */
export function someStored(type: StoredType, count: number): Uint8Array | Uint16Array | Float32Array {
  const mixed = (i: number) => (i * 2654435761) >>> 11;
  const each = { length: count };
  if (type === 'bool') return Uint8Array.from(each, (_, i) => mixed(i) & 1);
  if (type === 'uint8') return Uint8Array.from(each, (_, i) => mixed(i));
  if (type === 'int16') return Uint16Array.from(each, (_, i) => mixed(i) & 0x7fff);
  if (type === 'float32') return Float32Array.from(each, (_, i) => (mixed(i) - 1e6) / 7);
  return Uint16Array.from(each, (_, i) => mixed(i));
}
