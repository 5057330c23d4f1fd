import type { GeoTIFF } from 'geotiff';
import { SourceError } from '../core/errors.js';
import { readAt, statOf } from './readFile.js';

/** What the tags of one page say of its pixels, which lie in parts: strips of rows, or tiles. */
export interface TiffPage {
  /** In pixels. */
  readonly size: { readonly y: number; readonly x: number };
  readonly kind: 'strip' | 'tile';
  /** Extent of a part in pixels. The last strip may be shorter; tiles at the edges are padded. */
  readonly part: { readonly y: number; readonly x: number };
  /** Where each part begins in the file, row of parts by row of parts. */
  readonly offsetsBytes: readonly number[];
  /** How many bytes each part takes, where the tags say so. */
  readonly countsBytes: readonly number[] | undefined;
  /** The number of the scheme; 1 for none. */
  readonly compression: number;
  /** Such as `uint16`. */
  readonly pixel: string;
  /** How many images the page holds: ImageJ keeps stacks over 4 GiB in one, and says so in its description only. */
  readonly images: number;
  /** Where the next page's tags are; 0 for none. */
  readonly nextPage: number;
}

/** Opens a file for its tags. @throws {SourceError} if it does not begin as a TIFF file, or cannot be read */
export async function openTiff(path: string, fd: number): Promise<TiffFile> {
  const source = new TiffSource(path, fd, (await statOf(path, fd)).size);
  // Loaded here, so that programs which read no TIFF start without it.
  const { GeoTIFF } = await import('geotiff');
  const tiff = await naming(path, 'expected whole tags', GeoTIFF.fromSource(source));
  // geotiff 3.0.5 reads lists that it puts off as little-endian, whatever the file is (its issue 535): none may be put off.
  tiff.parser.eager = true;
  return new TiffFile(path, tiff, source);
}

/** A file whose tags can be read, page by page. Its errors name it. */
export class TiffFile {
  constructor(
    private readonly path: string,
    private readonly tiff: GeoTIFF,
    private readonly source: TiffSource,
  ) {}

  get fileBytes(): number {
    return this.source.fileSize;
  }

  get littleEndian(): boolean {
    return this.tiff.littleEndian;
  }

  /** @throws {SourceError} saying what was expected, unless it fits */
  expect(what: string, expected: string, got: unknown, fits: boolean): void {
    if (!fits) throw new SourceError(this.path, `${what}, expected ${expected}, got ${got}`);
  }

  /**
   * What the tags of a page say; of those behind the first only once the one before has been asked for.
   *
   * @throws {SourceError} if they are broken, or the page has no pixels, several samples or too few parts
   */
  async page(index: number): Promise<TiffPage> {
    const directory = await naming(this.path, 'expected whole tags', this.tiff.requestIFD(index));
    const tags: ReadonlyMap<string | number, unknown> = directory.actualizedFields;
    const list = (tag: number): readonly number[] | undefined => {
      const value = tags.get(tag);
      if (value === undefined || typeof value === 'string') return undefined;
      // A tag with one value comes as a number or as a list of one.
      const values = typeof value === 'number' ? [value] : Array.from(value as ArrayLike<number>);
      // A damaged tag may call its value a fraction, or a negative number.
      const odd = values.find((number) => !Number.isSafeInteger(number) || number < 0);
      this.expect(`tag ${tag}`, 'whole numbers', odd, odd === undefined);
      return values;
    };
    const one = (tag: number, otherwise: number): number => list(tag)?.[0] ?? otherwise;

    const size = { y: one(Tag.ImageLength, 0), x: one(Tag.ImageWidth, 0) };
    this.expect('image', 'at least one pixel', `${size.y} rows of ${size.x}`, size.y > 0 && size.x > 0);
    const samples = one(Tag.SamplesPerPixel, 1);
    this.expect('pixel', '1 sample', `${samples} samples`, samples === 1);
    const [bits, format] = [one(Tag.BitsPerSample, 1), one(Tag.SampleFormat, 1)];
    const tiled = tags.has(Tag.TileOffsets);
    const kind = tiled ? 'tile' : 'strip';
    const part = tiled
      ? { y: one(Tag.TileLength, 0), x: one(Tag.TileWidth, 0) }
      : { y: Math.min(one(Tag.RowsPerStrip, size.y), size.y), x: size.x };
    this.expect(kind, 'at least one pixel', `${part.y} rows of ${part.x}`, part.y > 0 && part.x > 0);
    const count = Math.ceil(size.y / part.y) * Math.ceil(size.x / part.x);
    const offsetsBytes = list(tiled ? Tag.TileOffsets : Tag.StripOffsets) ?? [];
    this.expect('offsets', `${count} ${kind}s`, offsetsBytes.length, offsetsBytes.length === count);
    return {
      size,
      kind,
      part,
      offsetsBytes,
      countsBytes: list(tiled ? Tag.TileByteCounts : Tag.StripByteCounts),
      compression: one(Tag.Compression, 1),
      pixel: `${sampleFormats[format] ?? `format ${format} of `}${bits}`,
      images: Number(/^ImageJ=.*?\bimages=(\d+)/s.exec(String(tags.get(Tag.ImageDescription) ?? ''))?.[1] ?? 1),
      nextPage: directory.nextIFDByteOffset,
    };
  }

  /** Decodes all pixels of a page whose tags have been checked. @throws {SourceError} if they are broken or not all there */
  async pixels(index: number): Promise<ArrayLike<number>> {
    const decoded = async () => (await this.tiff.getImage(index)).readRasters({ samples: [0] });
    this.source.exact = true;
    const rasters = await naming(this.path, 'expected whole pixels', decoded());
    return (rasters as unknown as readonly [ArrayLike<number>])[0];
  }
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

const sampleFormats: Readonly<Record<number, string>> = { 1: 'uint', 2: 'int', 3: 'float' };

/** Makes geotiff's errors the file's. */
async function naming<T>(path: string, expected: string, parsed: Promise<T>): Promise<T> {
  try {
    return await parsed;
  } catch (error) {
    // The file could not be read, so nothing is known of what it holds.
    if (error instanceof SourceError) throw error;
    const words = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ');
    throw new SourceError(path, `not a TIFF file that can be read, ${expected}, got: ${words}`, { cause: error });
  }
}

interface Slice {
  readonly offset: number;
  readonly length: number;
}

/**
 * What geotiff reads through. Its own source of files leaks the descriptor of a file that is no TIFF, and makes
 * zeros of what is behind the end; this one ends where the file does, so that a truncated file is an error.
 */
class TiffSource {
  /** Whether all that is asked for has to be there: of pixels it has, of tags nobody knows how long they are. */
  exact = false;

  constructor(
    private readonly path: string,
    private readonly fd: number,
    readonly fileSize: number,
  ) {}

  async fetch(slices: readonly Slice[]): Promise<ArrayBuffer[]> {
    return Promise.all(slices.map(async (slice) => (await this.fetchSlice(slice)).data));
  }

  async fetchSlice({ offset, length }: Slice): Promise<Slice & { data: ArrayBuffer }> {
    if (this.exact && !(offset + length <= this.fileSize)) {
      const wanted = `expected at least ${offset + length} bytes`;
      throw new SourceError(this.path, `ends at byte ${this.fileSize}, ${wanted}`);
    }
    const most = Math.max(0, Math.min(length, this.fileSize - offset));
    const bytes = await readAt(this.path, this.fd, offset, most);
    return { offset, length, data: bytes.buffer.slice(0, bytes.length) as ArrayBuffer };
  }

  async close(): Promise<void> {}
}
