/** A small writer of TIFF files, good and bad ones, for the tests of the reader. */
import { writeFile } from 'node:fs/promises';
import { deflateSync } from 'node:zlib';
import type { StoredType } from '../../native/fileReader.js';
import { storedBytes } from './stored.js';

export interface TiffOptions {
  /** How pixels are stored. Default uint16. */
  readonly type?: StoredType;
  readonly bigEndian?: boolean;
  readonly rowsPerStrip?: number;
  /** Extent of square tiles, instead of strips. */
  readonly tile?: number;
  /** Bytes of nothing between parts. */
  readonly gapBytes?: number;
  /** Parts are stored last first. */
  readonly reversed?: boolean;
  /** Tags (SHORT or LONG) to set to something else, or with null to leave out. */
  readonly tags?: Readonly<Record<number, number | readonly number[] | null>>;
  /** Where the tags of a next page would be. */
  readonly nextPage?: number;
  readonly description?: string;
  /** Compresses each part with deflate. */
  readonly deflate?: boolean;
  /** By how much all places in the file are moved, for a page that is put behind others. */
  readonly shiftBytes?: number;
  /** Bytes to cut from the end. */
  readonly cutBytes?: number;
}

const formats = { u: 1, i: 2, f: 3 } as const;

/** The bytes of a one-page file; tags come first, then the pixels. */
export function tiffBytes(data: ArrayLike<number>, height: number, width: number, options: TiffOptions = {}): Buffer {
  const { type = 'uint16', bigEndian = false, tile, gapBytes = 0, shiftBytes = 0, description } = options;
  const pixels = storedBytes(type, data, bigEndian);
  const bits = Number(/\d+/.exec(type)?.[0]);
  const bytes = bits / 8;
  const strip = options.rowsPerStrip ?? height;
  const [partRows, partColumns] = tile === undefined ? [strip, width] : [tile, tile];
  const parts: Buffer[] = [];
  for (let y = 0; y < height; y += partRows) {
    for (let x = 0; x < width; x += partColumns) {
      const rows = tile === undefined ? Math.min(partRows, height - y) : partRows;
      const part = Buffer.alloc(bytes * rows * partColumns, 0xee);
      for (let row = 0; row < rows && y + row < height; row++) {
        const from = ((y + row) * width + x) * bytes;
        pixels.copy(part, row * partColumns * bytes, from, from + Math.min(partColumns, width - x) * bytes);
      }
      parts.push(options.deflate ? deflateSync(part) : part);
    }
  }

  const tags = new Map<number, number | readonly number[] | string | null>([
    [256, width],
    [257, height],
    [258, bits],
    [259, options.deflate ? 8 : 1],
    [262, 1],
    [277, 1],
    [339, formats[type[0] as keyof typeof formats]],
  ]);
  if (description !== undefined) tags.set(270, `${description}\0`);
  const [offsetsTag, countsTag] = tile === undefined ? [273, 279] : [324, 325];
  if (tile === undefined) tags.set(278, strip);
  else tags.set(322, tile).set(323, tile);
  tags
    .set(
      offsetsTag,
      parts.map(() => 0),
    )
    .set(
      countsTag,
      parts.map((part) => part.length),
    );
  for (const [tag, value] of Object.entries(options.tags ?? {})) tags.set(Number(tag), value);
  const present = [...tags].filter(([, value]) => value !== null).sort(([a], [b]) => a - b);

  const tableAt = 8;
  let valuesAt = tableAt + 2 + 12 * present.length + 4;
  const places = present.map(([, value]) => {
    const length =
      typeof value === 'string' ? value.length : typeof value === 'number' ? 4 : 4 * (value as number[]).length;
    if (length <= 4) return undefined;
    const place = valuesAt;
    valuesAt += length + (length % 2);
    return place;
  });
  const offsets: number[] = new Array(parts.length).fill(0);
  let end = valuesAt;
  const order = parts.map((_, at) => at);
  if (options.reversed) order.reverse();
  for (const at of order) {
    offsets[at] = end + shiftBytes;
    end += (parts[at] as Buffer).length + gapBytes;
  }

  const file = Buffer.alloc(end);
  const u16 = (value: number, at: number) =>
    bigEndian ? file.writeUInt16BE(value, at) : file.writeUInt16LE(value, at);
  const u32 = (value: number, at: number) =>
    bigEndian ? file.writeUInt32BE(value, at) : file.writeUInt32LE(value, at);
  file.write(bigEndian ? 'MM' : 'II', 0, 'latin1');
  u16(42, 2);
  u32(tableAt, 4);
  u16(present.length, tableAt);
  present.forEach(([tag, given], index) => {
    const at = tableAt + 2 + 12 * index;
    const place = places[index];
    u16(tag, at);
    if (typeof given === 'string') {
      u16(2, at + 2);
      u32(given.length, at + 4);
      if (place === undefined) file.write(given, at + 8, 'latin1');
      else {
        u32(place + shiftBytes, at + 8);
        file.write(given, place, 'latin1');
      }
      return;
    }
    const overridden = options.tags !== undefined && tag in options.tags;
    const values = tag === offsetsTag && !overridden ? offsets : [given as number | number[]].flat();
    // LONG, four bytes each: readers have to take either width.
    u16(4, at + 2);
    u32(values.length, at + 4);
    if (place !== undefined) u32(place + shiftBytes, at + 8);
    for (const [i, value] of values.entries()) u32(value, (place ?? at + 8) + 4 * i);
  });
  u32(options.nextPage ?? 0, tableAt + 2 + 12 * present.length);
  parts.forEach((part, at) => void part.copy(file, (offsets[at] as number) - shiftBytes));
  return file.subarray(0, file.length - gapBytes - (options.cutBytes ?? 0));
}

/** The bytes of a file with a page for each plane; all of one byte order. */
export function tiffPagesBytes(
  planes: readonly ArrayLike<number>[],
  height: number,
  width: number,
  options: TiffOptions | readonly TiffOptions[] = {},
): Buffer {
  let file = Buffer.alloc(0);
  planes.forEach((plane, at) => {
    const own = Array.isArray(options) ? (options[at] as TiffOptions) : (options as TiffOptions);
    // The header of eight bytes is the first page's alone; the others are moved back by as much.
    const shiftBytes = at === 0 ? 0 : file.length - HEADER_BYTES;
    const page = (nextPage: number) => tiffBytes(plane, height, width, { ...own, shiftBytes, nextPage });
    const end = shiftBytes + page(0).length;
    const whole = page(at === planes.length - 1 ? 0 : end);
    file = Buffer.concat([file, at === 0 ? whole : whole.subarray(HEADER_BYTES)]);
  });
  return file;
}

const HEADER_BYTES = 8;

export async function writeTiff(
  path: string,
  data: ArrayLike<number>,
  height: number,
  width: number,
  options?: TiffOptions,
): Promise<void> {
  await writeFile(path, tiffBytes(data, height, width, options));
}
