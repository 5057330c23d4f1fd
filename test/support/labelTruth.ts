/** What SPEC.md says of labels and of the columns that are asked for, written for plainness as `naive` is. */

import { extraColumnNames } from '../../core/columns.js';
import { EXTRA_COLUMNS, type ExtraColumn, type Region, type Voxels, type Zyx } from '../../index.js';
import type { Cell, Truth } from './naive.js';
import { position } from './places.js';

/** The label of each voxel of a region: 0 outside of cells, else 1 + the rank of its cell, since `truth` has cells in order. */
export function labelsOf(truth: Truth, size: Zyx, { start, stop }: Region): Uint32Array {
  const labels = new Map<number, number>();
  truth.cells.forEach(({ voxels }, rank) => {
    for (const voxel of voxels) labels.set(voxel, rank + 1);
  });
  const painted: number[] = [];
  for (let z = start.z; z < stop.z; z++)
    for (let y = start.y; y < stop.y; y++)
      for (let x = start.x; x < stop.x; x++) painted.push(labels.get((z * size.y + y) * size.x + x) ?? 0);
  return Uint32Array.from(painted);
}

/** Columns that are asked for, but for that which tells volumes apart. */
export type AskedColumn = Exclude<ExtraColumn, 'volume'>;
export const ASKED_COLUMNS = EXTRA_COLUMNS.filter((name): name is AskedColumn => name !== 'volume');

/** The same cells with the numbers of columns that are asked for. */
export function withColumns(truth: Truth, columns: readonly AskedColumn[], told: Told): Truth {
  const cells = truth.cells.map((cell, rank) => ({
    ...cell,
    row: [...cell.row, ...columns.flatMap((column) => extraNumbers(column, cell, rank, told))],
  }));
  return { ...truth, names: [...truth.names, ...columns.flatMap((column) => extraColumnNames[column])], cells };
}

export interface Told {
  readonly size: Zyx;
  /** What shapes are found in, and what is read. */
  readonly image: Voxels;
  readonly source: Voxels;
}

/** The numbers that a column asked for has of a cell. */
function extraNumbers(column: AskedColumn, cell: Cell, rank: number, told: Told): number[] {
  switch (column) {
    case 'label':
      return [rank + 1];
    case 'centroid':
      return centroid(cell, told);
    case 'box':
      return box(cell, told);
    case 'flags':
      return [flags(cell, told)];
  }
}

function centroid({ at, voxels }: Cell, { size, image }: Told): number[] {
  const mean = (weight: (voxel: number) => number, axis: 'z' | 'y' | 'x') => {
    let [sum, moment] = [0, 0];
    for (const voxel of voxels) {
      sum += weight(voxel);
      moment += weight(voxel) * (position(voxel, size)[axis] - at[axis]);
    }
    return { sum, place: at[axis] + moment / sum };
  };
  return (['x', 'y', 'z'] as const).map((axis) => {
    const weighted = mean((voxel) => image[voxel] as number, axis);
    return weighted.sum > 0 ? weighted.place : mean(() => 1, axis).place;
  });
}

function box({ voxels }: Cell, { size }: Told): number[] {
  return (['x', 'y', 'z'] as const).flatMap((axis) => {
    const along = voxels.map((voxel) => position(voxel, size)[axis]);
    return [Math.min(...along), Math.max(...along) + 1];
  });
}

function flags({ voxels }: Cell, { size, source }: Told): number {
  const onFace = voxels.some((voxel) => {
    const at = position(voxel, size);
    return (['z', 'y', 'x'] as const).some((axis) => at[axis] === 0 || at[axis] === size[axis] - 1);
  });
  const greatest = source instanceof Uint8Array ? 255 : source instanceof Uint16Array ? 65535 : Number.NaN;
  return (onFace ? 1 : 0) + (voxels.some((voxel) => source[voxel] === greatest) ? 2 : 0);
}
