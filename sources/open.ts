import { stat } from 'node:fs/promises';
import { SourceError } from '../core/errors.js';
import { describeSystemError } from '../core/systemError.js';
import type { Volume } from '../core/volume.js';
import { npy } from './npy.js';
import { isPattern } from './planeFiles.js';
import { retrying } from './retry.js';
import { tiffSeries } from './tiffSeries.js';

/**
 * Opens whatever a path names: a `.npy` file, a folder of TIFF planes, or a pattern of plane names with `<Z,digits>`.
 *
 * @throws {SourceError} if nothing is there, if it is of another kind, or if it cannot be read
 * @example const volume = await openSource('raw/Z<Z,4>.tif')
 */
export function openSource(path: string): Promise<Volume> {
  return openNamed(path, 'expected a .npy file, a folder of TIFF planes or a pattern such as Z<Z,4>.tif');
}

/** As `openSource`; the words say what was expected. `openFile` opens a file that is no `.npy`, if it can. */
export async function openNamed(
  path: string,
  expected: string,
  openFile: (path: string) => Promise<Volume> | undefined = () => undefined,
): Promise<Volume> {
  if (isPattern(path)) return tiffSeries(path);
  const found = await retrying(() =>
    stat(path).catch((cause: unknown) => {
      throw new SourceError(path, `${describeSystemError(cause)}, ${expected}`, { cause });
    }),
  );
  if (found.isDirectory()) return tiffSeries(path);
  if (path.toLowerCase().endsWith('.npy')) return npy(path);
  const volume = await openFile(path);
  if (!volume) throw new SourceError(path, `unknown kind of file, ${expected}`);
  return volume;
}
