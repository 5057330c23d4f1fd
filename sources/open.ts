import { stat } from 'node:fs/promises';
import { SourceError } from '../core/errors.js';
import { describeSystemError } from '../core/systemError.js';
import type { Volume } from '../core/volume.js';
import { npy } from './npy.js';
import { retrying } from './retry.js';
import { tiffSeries } from './tiffSeries.js';

const EXPECTED = 'expected a .npy file, a folder of TIFF planes or a pattern such as Z<Z,4>.tif';

/**
 * Opens whatever a path names: a `.npy` file, a folder of TIFF planes, or a pattern of plane names with `<Z,digits>`.
 *
 * @throws {SourceError} if nothing is there, if it is of another kind, or if it cannot be read
 * @example const volume = await openSource('raw/Z<Z,4>.tif')
 */
export async function openSource(path: string): Promise<Volume> {
  if (/<Z,\d+>/.test(path)) return tiffSeries(path);
  const found = await retrying(() =>
    stat(path).catch((cause: unknown) => {
      throw new SourceError(path, `${describeSystemError(cause)}, ${EXPECTED}`, { cause });
    }),
  );
  if (found.isDirectory()) return tiffSeries(path);
  if (path.toLowerCase().endsWith('.npy')) return npy(path);
  throw new SourceError(path, `unknown kind of file, ${EXPECTED}`);
}
