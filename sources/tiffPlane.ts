import { endianness } from 'node:os';
import { SourceError } from '../core/errors.js';
import { bytesPerVoxel } from '../core/volume.js';
import type { FileBox, StoredType } from '../native/fileReader.js';
import { openTiff } from './tiffTags.js';
import { storedAs } from './voxelTypes.js';

/**
 * Where the pixels of one uncompressed page are: in parts (strips or tiles) of equal extent, but for the last
 * strip, which is shorter, and for tiles at the edges, which are padded.
 */
export interface TiffPlane {
  /** In pixels. */
  readonly size: { readonly y: number; readonly x: number };
  /** Extent of a part in pixels. */
  readonly part: { readonly y: number; readonly x: number };
  /** Where each part begins in the file, row of parts by row of parts. */
  readonly offsetsBytes: Float64Array;
  readonly type: StoredType;
  /** Whether the file's byte order is not the machine's. */
  readonly swapped: boolean;
}

/**
 * Parses the tags of a file with one page.
 *
 * @throws {SourceError} if it is no TIFF file, has several pages, samples or another type of pixel, is compressed, or
 * ends before its last pixel
 */
export async function parseTiffPlane(path: string, fd: number): Promise<TiffPlane> {
  const file = await openTiff(path, fd);
  const page = await file.page(0);
  const { size, part, kind, offsetsBytes, countsBytes, compression, pixel } = page;
  file.expect('file', 'one page', 'several', page.nextPage === 0 && page.images === 1);
  file.expect('compression', 'none', `TIFF scheme ${compression}`, compression === 1);
  const type = types.find((known) => known === pixel);
  if (type === undefined) throw new SourceError(path, `pixel type, expected one of ${types.join(', ')}, got ${pixel}`);
  const { bytes: pixelBytes } = storedAs[type];
  offsetsBytes.forEach((offset, at) => {
    const rows = kind === 'tile' ? part.y : Math.min(part.y, size.y - at * part.y);
    const bytes = pixelBytes * rows * part.x;
    const stored = countsBytes?.[at] ?? bytes;
    file.expect(`${kind} ${at}`, `${bytes} bytes`, stored, stored >= bytes);
    file.expect(`${kind} ${at}`, 'it after the header', `byte ${offset}`, offset >= 8);
    if (offset + bytes > file.fileBytes) {
      throw new SourceError(path, `ends at byte ${file.fileBytes}, expected at least ${offset + bytes} bytes`);
    }
  });
  const swapped = file.littleEndian !== (endianness() === 'LE');
  return joined({ size, part, offsetsBytes: Float64Array.from(offsetsBytes), type, swapped });
}

const types = ['uint8', 'uint16', 'int16', 'uint32', 'float32'] as const satisfies readonly StoredType[];

/** Strips that follow one another in the file are one strip. */
function joined(plane: TiffPlane): TiffPlane {
  const { size, part, offsetsBytes, type } = plane;
  const stripBytes = storedAs[type].bytes * part.y * part.x;
  const first = offsetsBytes[0] as number;
  if (part.x !== size.x || !offsetsBytes.every((offset, at) => offset === first + at * stripBytes)) return plane;
  return { ...plane, part: size, offsetsBytes: offsetsBytes.slice(0, 1) };
}

/** The boxes that fill an array with a window of the plane. */
export function boxesOf(
  { size, part, offsetsBytes, type }: TiffPlane,
  start: { readonly y: number; readonly x: number },
  stop: { readonly y: number; readonly x: number },
): FileBox[] {
  const across = Math.ceil(size.x / part.x);
  const { bytes, dtype } = storedAs[type];
  const intoBytes = bytesPerVoxel[dtype];
  const widthBytes = intoBytes * (stop.x - start.x);
  const boxes: FileBox[] = [];
  for (let row = Math.floor(start.y / part.y); row * part.y < stop.y; row++) {
    for (let column = Math.floor(start.x / part.x); column * part.x < stop.x; column++) {
      const corner = { y: row * part.y, x: column * part.x };
      const from = { y: Math.max(start.y, corner.y), x: Math.max(start.x, corner.x) };
      const to = { y: Math.min(stop.y, corner.y + part.y), x: Math.min(stop.x, corner.x + part.x) };
      const inPart = (from.y - corner.y) * part.x + from.x - corner.x;
      boxes.push({
        offsetBytes: (offsetsBytes[row * across + column] as number) + bytes * inPart,
        planes: 1,
        rows: to.y - from.y,
        rowBytes: bytes * (to.x - from.x),
        planeStrideBytes: 0,
        rowStrideBytes: bytes * part.x,
        into: {
          offsetBytes: (from.y - start.y) * widthBytes + intoBytes * (from.x - start.x),
          planeStrideBytes: 0,
          rowStrideBytes: widthBytes,
        },
      });
    }
  }
  return boxes;
}
