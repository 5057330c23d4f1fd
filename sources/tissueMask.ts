import { SourceError } from '../core/errors.js';
import { AXES, type Zyx } from '../core/geometry.js';
import type { Volume } from '../core/volume.js';
import { arrayVolume } from './array.js';
import { openNamed } from './open.js';
import { openFiles } from './openFiles.js';
import { openTiff, type TiffPage } from './tiffTags.js';

/** A mask in one file is held in memory, a byte a voxel; a larger one is a mistake, or better a folder or a .npy file. */
const MOST_VOXELS = 2 ** 31;

/**
 * Opens a mask of the tissue: a volume whose voxels other than 0 are inside.
 *
 * It is a `.npy` file, a folder or a pattern of TIFF planes, as `openSource` reads them, or one `.tif` or `.tiff` file of one
 * or more pages, one plane each, of one sample and any compression that geotiff knows. The latter is decoded at once, on the
 * JavaScript thread, and kept as uint8 of 0 and 1.
 *
 * A mask may be coarser than the volume that it is laid over: it covers the same box, so whoever uses it looks at the
 * mask's voxel that holds the center of the volume's voxel.
 *
 * @returns a volume [z, y, x] of uint8, uint16 or float32, without a unit
 * @throws {SourceError} if nothing is there, it is of another kind, it cannot be read, or its pages are unlike
 * @example const mask = await tissueMask('tissue.tif')
 */
export function tissueMask(path: string): Promise<Volume> {
  const expected = 'expected a .npy or .tif file, a folder of TIFF planes or a pattern such as Z<Z,4>.tif';
  return openNamed(path, expected, (file) => (/\.tiff?$/i.test(file) ? pagesOf(file) : undefined));
}

async function pagesOf(path: string): Promise<Volume> {
  const { inside, size } = await openFiles.use(path, (fd) => readPages(path, fd));
  return arrayVolume(inside, size, { id: path });
}

async function readPages(path: string, fd: number): Promise<{ inside: Uint8Array; size: Zyx }> {
  const file = await openTiff(path, fd);
  const pages: TiffPage[] = [];
  const seen = new Set<number>();
  let next: number;
  do {
    const page = await file.page(pages.length);
    const { images, offsetsBytes: parts, countsBytes } = page;
    file.expect('page', 'one image', `${images} in the way of ImageJ`, images === 1);
    file.expect('byte counts', `${parts.length}`, countsBytes?.length, countsBytes?.length === parts.length);
    alike(path, pages.length, page, pages[0] ?? page);
    pages.push(page);
    next = page.nextPage;
    // A damaged file may lead back to tags that were read.
    file.expect('pages', 'an end', 'one that comes again', !seen.has(next));
    seen.add(next);
  } while (next !== 0);
  const { y, x } = (pages[0] as TiffPage).size;
  const size = { z: pages.length, y, x };
  const count = size.z * y * x;
  file.expect('mask', `at most ${MOST_VOXELS} voxels`, AXES.map((a) => size[a]).join(' x '), count <= MOST_VOXELS);
  const inside = new Uint8Array(count);
  for (let z = 0; z < size.z; z++) {
    const pixels = await file.pixels(z);
    const plane = inside.subarray(z * y * x, (z + 1) * y * x);
    for (let i = 0; i < plane.length; i++) plane[i] = pixels[i] === 0 ? 0 : 1;
  }
  return { inside, size };
}

function alike(path: string, index: number, { size, pixel }: TiffPage, first: TiffPage): void {
  if (size.y !== first.size.y || size.x !== first.size.x) {
    const expected = `${first.size.y} rows of ${first.size.x} as the first`;
    throw new SourceError(path, `page ${index}, expected ${expected}, got ${size.y} of ${size.x}`);
  }
  if (pixel !== first.pixel) {
    throw new SourceError(path, `page ${index}, expected ${first.pixel} as the first, got ${pixel}`);
  }
}
