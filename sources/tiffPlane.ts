import { endianness } from 'node:os';
import { SourceError } from '../core/errors.js';
import { bytesPerVoxel } from '../core/volume.js';
import type { FileBox, StoredType } from '../native/fileReader.js';
import { readAt, statOf } from './readFile.js';
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
  const fileBytes = (await statOf(path, fd)).size;
  const { tags, littleEndian, nextPage } = await readTags(path, fd, fileBytes);
  // Any number of values is a list here, for a tag with one value comes as a number or as a list of one.
  const list = (tag: number): readonly number[] | undefined => {
    const value = tags.get(tag);
    if (value === undefined || typeof value === 'string') return undefined;
    return typeof value === 'number' ? [value] : Array.from(value as ArrayLike<number>);
  };
  const expect = (what: string, expected: string, got: unknown, fits: boolean): void => {
    if (!fits) throw new SourceError(path, `${what}, expected ${expected}, got ${got}`);
  };
  const whole = (tag: number, value: number): number => {
    // A damaged tag may call its value a fraction, or a negative number.
    expect(`tag ${tag}`, 'a whole number', value, Number.isSafeInteger(value) && value >= 0);
    return value;
  };
  const one = (tag: number, otherwise: number): number => whole(tag, list(tag)?.[0] ?? otherwise);

  const size = { y: one(Tag.ImageLength, 0), x: one(Tag.ImageWidth, 0) };
  expect('image', 'at least one pixel', `${size.y} rows of ${size.x}`, size.y > 0 && size.x > 0);
  // ImageJ keeps stacks over 4 GiB in one page, and says so in its description only.
  const stacked = /^ImageJ=.*?\bimages=(\d+)/s.exec(String(tags.get(Tag.ImageDescription) ?? ''))?.[1] ?? '1';
  expect('file', 'one page', 'several', nextPage === 0 && Number(stacked) <= 1);
  const compression = one(Tag.Compression, 1);
  expect('compression', 'none', `TIFF scheme ${compression}`, compression === 1);
  const samples = one(Tag.SamplesPerPixel, 1);
  expect('pixel', '1 sample', `${samples} samples`, samples === 1);
  const [bits, format] = [one(Tag.BitsPerSample, 1), one(Tag.SampleFormat, 1)];
  const name = `${sampleFormats[format] ?? `format ${format} of `}${bits}`;
  const type = types.find((known) => known === name);
  if (type === undefined) throw new SourceError(path, `pixel type, expected one of ${types.join(', ')}, got ${name}`);
  const { bytes: pixelBytes } = storedAs[type];

  const tiled = list(Tag.TileOffsets) !== undefined;
  const part = tiled
    ? { y: one(Tag.TileLength, 0), x: one(Tag.TileWidth, 0) }
    : { y: Math.min(one(Tag.RowsPerStrip, size.y), size.y), x: size.x };
  const kind = tiled ? 'tile' : 'strip';
  expect(kind, 'at least one pixel', `${part.y} rows of ${part.x}`, part.y > 0 && part.x > 0);
  const across = Math.ceil(size.x / part.x);
  const count = Math.ceil(size.y / part.y) * across;
  const offsetsTag = tiled ? Tag.TileOffsets : Tag.StripOffsets;
  const offsets = list(offsetsTag) ?? [];
  const counts = list(tiled ? Tag.TileByteCounts : Tag.StripByteCounts);
  expect('offsets', `${count} ${kind}s`, offsets.length, offsets.length === count);
  offsets.forEach((offset, at) => {
    const rows = tiled ? part.y : Math.min(part.y, size.y - at * part.y);
    const bytes = pixelBytes * rows * part.x;
    const stored = counts?.[at] ?? bytes;
    expect(`${kind} ${at}`, `${bytes} bytes`, stored, stored >= bytes);
    expect(`${kind} ${at}`, 'it after the header', `byte ${offset}`, whole(offsetsTag, offset) >= 8);
    if (offset + bytes > fileBytes) {
      throw new SourceError(path, `ends at byte ${fileBytes}, expected at least ${offset + bytes} bytes`);
    }
  });
  const swapped = littleEndian !== (endianness() === 'LE');
  return joined({ size, part, offsetsBytes: Float64Array.from(offsets), type, swapped });
}

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

const Tag = {
  ImageWidth: 256,
  ImageLength: 257,
  BitsPerSample: 258,
  Compression: 259,
  ImageDescription: 270,
  StripOffsets: 273,
  SamplesPerPixel: 277,
  RowsPerStrip: 278,
  StripByteCounts: 279,
  TileWidth: 322,
  TileLength: 323,
  TileOffsets: 324,
  TileByteCounts: 325,
  SampleFormat: 339,
} as const;

const types = ['uint8', 'uint16', 'int16', 'uint32', 'float32'] as const satisfies readonly StoredType[];
const sampleFormats: Readonly<Record<number, string>> = { 1: 'uint', 2: 'int', 3: 'float' };

interface Tags {
  readonly tags: ReadonlyMap<string | number, unknown>;
  readonly littleEndian: boolean;
  /** Where the next page's tags are; 0 for none. */
  readonly nextPage: number;
}

async function readTags(path: string, fd: number, fileBytes: number): Promise<Tags> {
  // Loaded here, so that programs which read no TIFF start without it.
  const { GeoTIFF } = await import('geotiff');
  try {
    const tiff = await GeoTIFF.fromSource(new TagSource(path, fd, fileBytes));
    // geotiff 3.0.5 reads lists that it puts off as little-endian, whatever the file is (its issue 535): none may be put off.
    tiff.parser.eager = true;
    const page = await tiff.requestIFD(0);
    return { tags: page.actualizedFields, littleEndian: tiff.littleEndian, nextPage: page.nextIFDByteOffset };
  } catch (error) {
    // The file could not be read, so nothing is known of what it holds.
    if (error instanceof SourceError) throw error;
    const problem = `not a TIFF file that can be read, expected whole tags, got: ${(error as Error).message}`;
    throw new SourceError(path, problem, { cause: error });
  }
}

interface Slice {
  readonly offset: number;
  readonly length: number;
}

/**
 * What geotiff reads tags through. Its own source of files leaks the descriptor of a file that is no TIFF, and makes
 * zeros of what is behind the end; this one ends where the file does, so that a truncated file is an error.
 */
class TagSource {
  constructor(
    private readonly path: string,
    private readonly fd: number,
    readonly fileSize: number,
  ) {}

  async fetch(slices: readonly Slice[]): Promise<ArrayBuffer[]> {
    return Promise.all(slices.map(async (slice) => (await this.fetchSlice(slice)).data));
  }

  async fetchSlice({ offset, length }: Slice): Promise<Slice & { data: ArrayBuffer }> {
    const most = Math.max(0, Math.min(length, this.fileSize - offset));
    const bytes = await readAt(this.path, this.fd, offset, most);
    return { offset, length, data: bytes.buffer.slice(0, bytes.length) as ArrayBuffer };
  }

  async close(): Promise<void> {}
}
