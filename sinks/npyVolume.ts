import { OptionError, SinkError } from '../core/errors.js';
import { describeRegion, extent, type Region, voxelCount } from '../core/geometry.js';
import {
  bytesPerImageVoxel,
  type ImageDescription,
  type ImageDtype,
  type ImageSink,
  type ImageVoxels,
} from '../core/imageSink.js';
import { AtomicFile } from './atomicFile.js';
import { BYTE_ORDER, npyHeader } from './npyHeader.js';

/** Writes of one region under way at a time: enough for the system's threads, few enough to be fair to other work. */
const WRITES_AT_A_TIME = 8;

const descrs: Readonly<Record<ImageDtype, string>> = {
  uint8: `'|u1'`,
  uint16: `'${BYTE_ORDER}u2'`,
  float32: `'${BYTE_ORDER}f4'`,
  uint32: `'${BYTE_ORDER}u4'`,
};

/**
 * An array of axes z, y, x in an NPY file, C order, of the image's dtype: `np.load(path, mmap_mode='r')` opens it.
 *
 * Regions are written where they belong, as they come; voxels that nobody writes are 0 and take no room on disk where the
 * file system knows holes. The file grows as `<path>.partial`, and gets its name, replacing what had it, when it is complete
 * and on disk.
 *
 * @throws {OptionError} at once, if the path is empty
 * @throws {SinkError} when opened, if the folder is missing or cannot be written, or the path is a folder; when written,
 * if the disk is full, or the region or the voxels do not fit the image
 * @example blocks(volume).pipe(removeBackground(), save('background', npyVolume('background.npy')), run())
 */
export function npyVolume(path: string): ImageSink {
  if (typeof path !== 'string' || path === '') throw new OptionError('npyVolume', 'path', 'a file name', path);
  const file = new AtomicFile(path);
  let image: ImageDescription | undefined;

  const opened = (): ImageDescription => {
    if (!image) throw new SinkError(path, 'is not open, expected open() before anything else');
    return image;
  };
  const header = ({ size, dtype }: ImageDescription, depth: number) =>
    npyHeader(path, descrs[dtype], [depth, size.y, size.x]);
  const setDepth = (of: ImageDescription, depth: number) =>
    file.setLength(header(of, depth).length + depth * of.size.y * of.size.x * bytesPerImageVoxel[of.dtype]);

  return {
    format: 'npy',
    path,

    async open(description) {
      await file.open();
      // An object of this opening's own: a write that outlives it must not go on into the file of the next.
      image = { ...description };
      if (description.size.z === null) return;
      try {
        await setDepth(description, description.size.z);
      } catch (error) {
        image = undefined;
        await file.abort();
        throw error;
      }
    },

    async write(region, voxels) {
      const of = opened();
      checkFits(path, of, region, voxels);
      const bytes = new Uint8Array(voxels.buffer, voxels.byteOffset, voxels.byteLength);
      const runs = runsOf(of, region);
      const dataAt = header(of, 0).length;
      let next = 0;
      // Each lane takes the next run when its last one is written.
      const lane = async () => {
        while (next < runs.count) {
          if (opened() !== of) throw new SinkError(path, 'was opened again, expected nothing of what was before');
          const at = next++;
          const piece = bytes.subarray(at * runs.bytes, (at + 1) * runs.bytes);
          await file.writeAt(dataAt + runs.place(at), piece).catch((error: unknown) => {
            next = runs.count;
            throw error;
          });
        }
      };
      await Promise.all(Array.from({ length: Math.min(WRITES_AT_A_TIME, runs.count) }, lane));
    },

    async close(depth) {
      const of = opened();
      await file.writeAt(0, header(of, depth));
      await setDepth(of, depth);
      await file.close();
      image = undefined;
    },

    async abort() {
      image = undefined;
      await file.abort();
    },
  };
}

interface Runs {
  readonly count: number;
  /** Of each run. */
  readonly bytes: number;
  /** Where in the array a run begins, in bytes. */
  place(run: number): number;
}

/** The pieces of a region that lie in one place: all of it where it has whole planes, a plane's part where it has whole rows. */
function runsOf({ size, dtype }: ImageDescription, region: Region): Runs {
  const { z, y, x } = extent(region);
  const rowsARun = x < size.x ? 1 : y < size.y ? y : y * z;
  const count = (z * y) / rowsARun;
  const voxelBytes = bytesPerImageVoxel[dtype];
  return {
    count,
    bytes: rowsARun * x * voxelBytes,
    place(run) {
      const row = run * rowsARun;
      const plane = region.start.z + Math.floor(row / y);
      return voxelBytes * ((plane * size.y + region.start.y + (row % y)) * size.x + region.start.x);
    },
  };
}

/** A region out of place would write over other voxels, or over the header. */
function checkFits(path: string, { size, dtype }: ImageDescription, region: Region, voxels: ImageVoxels): void {
  const { start, stop } = region;
  const inside = (['z', 'y', 'x'] as const).every(
    (a) => start[a] >= 0 && start[a] <= stop[a] && stop[a] <= (size[a] ?? Infinity),
  );
  const place = `region ${describeRegion(region)}`;
  if (!inside) {
    const image = `${size.z ?? '?'} x ${size.y} x ${size.x}`;
    throw new SinkError(path, `${place}, expected one inside the image of ${image} voxels`);
  }
  if (voxels.length !== voxelCount(region) || voxels.BYTES_PER_ELEMENT !== bytesPerImageVoxel[dtype]) {
    const got = `${voxels.length} of ${voxels.BYTES_PER_ELEMENT} bytes`;
    throw new SinkError(path, `${place}, expected ${voxelCount(region)} voxels of ${dtype}, got ${got}`);
  }
}
