import { OptionError } from './errors.js';
import { didYouMean, oneOf } from './options.js';

/** Columns of a table that come only when they are asked for, by the names under which they are asked. */
export const EXTRA_COLUMNS = ['volume', 'label', 'centroid', 'box', 'flags'] as const;
export type ExtraColumn = (typeof EXTRA_COLUMNS)[number];

/** The names of the columns that each gives. */
export const extraColumnNames: Readonly<Record<ExtraColumn, readonly string[]>> = {
  volume: ['volume'],
  label: ['label'],
  centroid: ['centroid_x', 'centroid_y', 'centroid_z'],
  box: ['box_x0', 'box_x1', 'box_y0', 'box_y1', 'box_z0', 'box_z1'],
  flags: ['flags'],
};

/** Those that are about a cell's voxels. */
const OF_SHAPES: readonly ExtraColumn[] = ['centroid', 'box', 'flags'];

/**
 * Checks the columns that somebody asks for.
 *
 * @throws {OptionError} if it is no list, or one of them is unknown or comes twice
 */
export function checkColumns(where: string, columns: readonly ExtraColumn[]): void {
  if (!Array.isArray(columns)) throw new OptionError(where, 'columns', `a list of ${oneOf(EXTRA_COLUMNS)}`, columns);
  for (const [at, name] of columns.entries()) {
    const option = `columns[${at}]`;
    if (!EXTRA_COLUMNS.includes(name)) {
      const problem =
        typeof name === 'string' ? `columns has no '${name}', ${didYouMean(name, EXTRA_COLUMNS)}` : undefined;
      throw new OptionError(where, option, oneOf(EXTRA_COLUMNS), name, problem);
    }
    if (columns.indexOf(name) !== at) throw new OptionError(where, option, 'named once', name);
  }
}

/**
 * Refuses columns about voxels where cells have no shapes.
 *
 * @throws {OptionError} that names the first of them
 */
export function checkColumnsOf(where: string, columns: readonly ExtraColumn[], hasShape: boolean): void {
  const [first] = hasShape ? [] : columns.filter((name) => OF_SHAPES.includes(name));
  if (first === undefined) return;
  const problem = `columns has '${first}', which is about the voxels of cells: expected a pipeline with shape, got none`;
  throw new OptionError(where, 'columns', 'without what needs shape', first, problem);
}
