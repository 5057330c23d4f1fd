import { SourceError } from '../core/errors.js';
import type { Region, Zyx } from '../core/geometry.js';
import type { Volume, Voxels } from '../core/volume.js';
import { openFiles } from './openFiles.js';
import { planeFiles } from './planeFiles.js';
import { readBoxes } from './readFile.js';
import { checkRead } from './region.js';
import { boxesOf, parseTiffPlane, type TiffPlane } from './tiffPlane.js';
import { storedAs } from './voxelTypes.js';

/** Planes of one region that are read at a time. */
const READS_AT_A_TIME = 4;
/** Planes in many parts whose offsets are kept; those of whole planes take 8 bytes each and are all kept. */
const PARTED_PLANES_KEPT = 256;

/**
 * Opens a series of TIFF files, one plane each: uncompressed uint8, uint16 or float32 in strips or tiles, of either byte
 * order; int16 and uint32 become uint16, and reading a value that is none is an error.
 *
 * The pattern names them with a number in place of `<Z,4>` (exactly that many digits; `<Z>` for any number of them), or is a
 * folder, whose `*.tif` and `*.tiff` come in natural order. The first file is looked at when the series is opened, the
 * others when they are first read.
 *
 * @throws {OptionError} if the pattern cannot be one
 * @throws {SourceError} if no file matches, a number is missing, or a file, which it names, is unlike the first or of
 * a kind that is not read; the latter also when reading, as are voxels below 0 or above 65535
 * @example const volume = await tiffSeries('raw/Z<Z,4>.tif')
 */
export async function tiffSeries(pattern: string): Promise<Volume> {
  const paths = await planeFiles(pattern);
  const first = paths[0] as string;
  const plane = await openFiles.use(first, (fd) => parseTiffPlane(first, fd));
  const { y, x } = plane.size;
  const { dtype } = storedAs[plane.type];
  const size: Zyx = { z: paths.length, y, x };
  const planes = new PlaneCache(paths.length, plane);

  const readPlane = (z: number, { start, stop }: Region, into: Voxels, signal: AbortSignal): Promise<void> => {
    const path = paths[z] as string;
    const work = async (fd: number) => {
      signal.throwIfAborted();
      const found = planes.get(z) ?? planes.put(z, alike(path, await parseTiffPlane(path, fd), plane, first));
      const layout = { boxes: boxesOf(found, start, stop), type: found.type, swapped: found.swapped };
      const region = { start: { ...start, z }, stop: { ...stop, z: z + 1 } };
      await readBoxes(path, fd, layout, region, into, signal);
    };
    return openFiles.use(path, work, signal);
  };

  return {
    id: pattern,
    size,
    dtype,
    // Of uncompressed strips any rows can be read by themselves; tiles are better read whole.
    ...(plane.part.x < x && { chunks: { z: 1, ...plane.part } }),
    async read(region, into, signal) {
      checkRead(pattern, size, dtype, region, into);
      const { start, stop } = region;
      const pixels = (stop.y - start.y) * (stop.x - start.x);
      await inTurn(stop.z - start.z, READS_AT_A_TIME, (at) =>
        readPlane(start.z + at, region, into.subarray(at * pixels, (at + 1) * pixels), signal),
      );
    },
  };
}

/** The plane of a file, which has to be like the first one's. */
function alike(path: string, plane: TiffPlane, expected: TiffPlane, first: string): TiffPlane {
  const { y, x } = plane.size;
  if (y !== expected.size.y || x !== expected.size.x) {
    const rows = `${expected.size.y} rows of ${expected.size.x}`;
    throw new SourceError(path, `plane, expected ${rows} as in ${first}, got ${y} of ${x}`);
  }
  if (plane.type !== expected.type) {
    throw new SourceError(path, `pixel type, expected ${expected.type} as in ${first}, got ${plane.type}`);
  }
  return plane;
}

/** Where the pixels of each plane are, once its file has been looked at. */
class PlaneCache {
  /** Offset of a plane in one part, negative where the bytes are to be swapped; 0 where it is not known. */
  private readonly whole: Float64Array;
  private readonly parted = new Map<number, TiffPlane>();

  constructor(
    count: number,
    /** Like it are all the others. */
    private readonly first: TiffPlane,
  ) {
    this.whole = new Float64Array(count);
  }

  get(z: number): TiffPlane | undefined {
    const offset = this.whole[z] as number;
    if (offset === 0) return this.parted.get(z);
    const { size, type } = this.first;
    return { size, part: size, offsetsBytes: Float64Array.of(Math.abs(offset)), type, swapped: offset < 0 };
  }

  put(z: number, plane: TiffPlane): TiffPlane {
    if (plane.part.y === plane.size.y && plane.part.x === plane.size.x) {
      const [offset = 0] = plane.offsetsBytes;
      this.whole[z] = plane.swapped ? -offset : offset;
      return plane;
    }
    this.parted.set(z, plane);
    if (this.parted.size > PARTED_PLANES_KEPT) this.parted.delete(this.parted.keys().next().value as number);
    return plane;
  }
}

/**
 * Runs `work` for 0 .. count - 1, `width` at a time. After a failure it begins no more, and rejects when those under way
 * have settled: until then they write into the caller's array.
 */
async function inTurn(count: number, width: number, work: (at: number) => Promise<void>): Promise<void> {
  let next = 0;
  let failed = false;
  const worker = async () => {
    while (next < count && !failed) {
      try {
        await work(next++);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const settled = await Promise.allSettled(Array.from({ length: Math.min(width, count) }, worker));
  for (const result of settled) if (result.status === 'rejected') throw result.reason;
}
