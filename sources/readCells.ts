import { open } from 'node:fs/promises';
import type { CellTable } from '../core/cellTable.js';
import { SomaflowError, SourceError } from '../core/errors.js';
import { describeSystemError } from '../core/systemError.js';
import { readCsvCells } from './csvCells.js';
import { readNpyCells } from './npyCells.js';

const byEnding = { '.csv': readCsvCells, '.npy': readNpyCells } as const;

/**
 * Reads a table of cells from a file: `.csv` as `csv` writes it, `.npy` as `npyTable` or ClearMap does.
 *
 * A text begins with a line of names; its columns `x`, `y`, `z`, `size` are int32, all others float64. An NPY file holds a
 * structured array, of integers of any size, which become int32, and float32 or float64, which become float64, in either byte
 * order. The file is read in pieces: besides the table, memory does not depend on its length.
 *
 * @throws {SourceError} naming the line or row, if a value is no number, or no integer of 32 bits where the column has integers;
 * if the file has another ending, cannot be read, holds something else or ends too early
 * @example const { count } = await readCells('earlier.csv')
 */
export async function readCells(path: string): Promise<CellTable> {
  const ending = /\.[^.]+$/.exec(path)?.[0].toLowerCase() ?? '';
  const read = Object.hasOwn(byEnding, ending) ? byEnding[ending as keyof typeof byEnding] : undefined;
  if (!read)
    throw new SourceError(path, `unknown kind of table, expected a ${Object.keys(byEnding).join(' or ')} file`);
  // Not one of the openFiles, which stay open for a while: the table may be a new one of an old name.
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw new SourceError(path, `cannot be opened: ${describeSystemError(cause)}`, { cause });
  });
  try {
    if (!(await file.stat()).isFile()) throw new SourceError(path, 'expected a table of cells, got a folder or device');
    return await read(path, file.fd);
  } catch (error) {
    if (error instanceof SomaflowError) throw error;
    throw new SourceError(path, `cannot be read: ${describeSystemError(error)}`, { cause: error });
  } finally {
    await file.close();
  }
}
