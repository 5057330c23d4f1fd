/** A second, small reader and writer of .npy files, so that a test does not check the product's own against itself. */
import { readFile, writeFile } from 'node:fs/promises';
import type { Zyx } from '../../core/geometry.js';
import type { Voxels } from '../../core/volume.js';
import type { Plane } from './naiveImages.js';

export interface Image {
  readonly size: Zyx;
  readonly data: Voxels;
}

const arrays = { '|u1': Uint8Array, '<u2': Uint16Array, '<f4': Float32Array };

export interface LabelFile {
  readonly size: Zyx;
  readonly data: Uint32Array;
}

/** Reads a C-order (z, y, x) file of uint8, or of little-endian uint16 or float32. */
export async function readNpy(path: string): Promise<Image> {
  const file = await readFile(path);
  const headerBytes = file.readUInt16LE(8);
  const header = file.toString('latin1', 10, 10 + headerBytes);
  const extents = /'shape': \((\d+), (\d+), (\d+)\)/.exec(header);
  const [, array] = Object.entries(arrays).find(([descr]) => header.includes(`'${descr}'`)) ?? [];
  if (!extents || !array || !header.includes("'fortran_order': False")) {
    throw new Error(`${path}: a (z, y, x) file of uint8, uint16 or float32 was expected, got ${header.trim()}`);
  }
  const [z, y, x] = extents.slice(1).map(Number) as [number, number, number];
  const bytes = Uint8Array.prototype.slice.call(file, 10 + headerBytes);
  return { size: { z, y, x }, data: new array(bytes.buffer, 0, z * y * x) };
}

/** Reads a C-order (z, y, x) file of little-endian uint32, or of int64 as the reference has them. */
export async function readLabels(path: string): Promise<LabelFile> {
  const file = await readFile(path);
  const headerBytes = file.readUInt16LE(8);
  const header = file.toString('latin1', 10, 10 + headerBytes);
  const extents = /'descr': '<(u4|i8)', 'fortran_order': False, 'shape': \((\d+), (\d+), (\d+)\)/.exec(header);
  if (!extents) throw new Error(`${path}: a (z, y, x) file of uint32 was expected, got ${header.trim()}`);
  const [z, y, x] = extents.slice(2).map(Number) as [number, number, number];
  const { buffer } = Uint8Array.prototype.slice.call(file, 10 + headerBytes);
  const count = z * y * x;
  const wide = extents[1] === 'i8';
  const data = wide ? Uint32Array.from(new BigInt64Array(buffer, 0, count), Number) : new Uint32Array(buffer, 0, count);
  return { size: { z, y, x }, data };
}

/** Reads a C-order (y, x) file of little-endian float32. */
export async function readPlane(path: string): Promise<Plane> {
  const file = await readFile(path);
  const headerBytes = file.readUInt16LE(8);
  const header = file.toString('latin1', 10, 10 + headerBytes);
  const extents = /'descr': '<f4', 'fortran_order': False, 'shape': \((\d+), (\d+)\)/.exec(header);
  if (!extents) throw new Error(`${path}: a (y, x) file of float32 was expected, got ${header.trim()}`);
  const [y, x] = extents.slice(1).map(Number) as [number, number];
  const bytes = Uint8Array.prototype.slice.call(file, 10 + headerBytes);
  return { size: { y, x }, data: new Float32Array(bytes.buffer, 0, y * x) };
}

/** Writes a C-order (z, y, x) file, little-endian, of the array's own type. */
export async function writeNpy(path: string, { size, data }: Image): Promise<void> {
  const [descr] = Object.entries(arrays).find(([, array]) => data instanceof array) ?? [];
  const words = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${size.z}, ${size.y}, ${size.x}), }`;
  const header = `${words.padEnd(128 - 10 - 1)}\n`;
  const lead = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0]);
  const pixels = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  await writeFile(path, Buffer.concat([lead, Buffer.from(header, 'latin1'), pixels]));
}
