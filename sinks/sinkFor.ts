import { OptionError } from '../core/errors.js';
import { csv } from './csv.js';
import { npyTable } from './npyTable.js';
import type { CellSink } from './sink.js';

const byEnding: Readonly<Record<string, (path: string) => CellSink>> = { '.csv': csv, '.npy': npyTable };

/**
 * The sink that a file's name asks for by its ending, in capitals or not: `.csv` for text, `.npy` for a NumPy array.
 *
 * @throws {OptionError} if it has another ending
 * @example found.pipe(write(sinkFor('cells.npy')))
 */
export function sinkFor(path: string): CellSink {
  const ending = /[^/\\](\.[^./\\]+)$/.exec(path)?.[1]?.toLowerCase() ?? '';
  const sink = Object.hasOwn(byEnding, ending) ? byEnding[ending] : undefined;
  if (!sink) {
    throw new OptionError('sinkFor', 'path', `a file name that ends in ${Object.keys(byEnding).join(' or ')}`, path);
  }
  return sink(path);
}
