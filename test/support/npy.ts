/** A second, small reader and writer of .npy files, so that a test does not check the product's own against itself. */
import { readFile, writeFile } from 'node:fs/promises';
import type { Zyx } from '../../core/geometry.js';

export interface Image {
  readonly size: Zyx;
  readonly data: Uint16Array;
}

/** Reads a C-order (z, y, x) little-endian uint16 file. */
export async function readNpy(path: string): Promise<Image> {
  const file = await readFile(path);
  const headerBytes = file.readUInt16LE(8);
  const header = file.toString('latin1', 10, 10 + headerBytes);
  const extents = /'shape': \((\d+), (\d+), (\d+)\)/.exec(header);
  if (!extents || !header.includes("'<u2'") || !header.includes("'fortran_order': False")) {
    throw new Error(`${path}: a (z, y, x) uint16 file was expected, got ${header.trim()}`);
  }
  const [z, y, x] = extents.slice(1).map(Number) as [number, number, number];
  const bytes = Uint8Array.prototype.slice.call(file, 10 + headerBytes);
  return { size: { z, y, x }, data: new Uint16Array(bytes.buffer, 0, z * y * x) };
}

/** Writes a C-order (z, y, x) little-endian uint16 file. */
export async function writeNpy(path: string, { size, data }: Image): Promise<void> {
  const words = `{'descr': '<u2', 'fortran_order': False, 'shape': (${size.z}, ${size.y}, ${size.x}), }`;
  const header = `${words.padEnd(128 - 10 - 1)}\n`;
  const lead = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0]);
  const pixels = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  await writeFile(path, Buffer.concat([lead, Buffer.from(header, 'latin1'), pixels]));
}
