import { Observable } from 'rxjs';
import type { CellBatch } from './batch.js';
import type { AnyBlock, Block, Needs, Result } from './block.js';
import { checkColumns, type ExtraColumn } from './columns.js';
import { type DriveOptions, driver } from './drive.js';
import { OptionError } from './errors.js';

export interface CellsOptions extends DriveOptions {
  /** `'index'` (default): a block closes the skipped ones before it. `'any'`: blocks may come in any order. */
  readonly order?: 'index' | 'any';
  /** Voxels of the largest component that is still divided; beyond, the run ends with a `ComponentError`. Default 10^8. */
  readonly maxComponentVoxels?: number;
  /**
   * Further columns, in the order asked for, after the measured ones. `'label'`: 1 + the rank of the cell's center among all of its
   * volume, in z, y, x order; batches then wait for the last cell. `'centroid'`: `centroid_x, centroid_y, centroid_z`, the mean position
   * of its voxels (voxels), weighted by the values that shapes are found in. `'box'`: `box_x0, box_x1, box_y0, box_y1, box_z0, box_z1`, the
   * half-open box of its voxels. `'flags'`: 1 where it touches the volume's edge, plus 2 where the source has a saturated voxel in it. `'volume'`,
   * always the last, is the number of the cell's volume in the order in which they came; it is also there where blocks of
   * several volumes come at once, in the moment of subscribing.
   */
  readonly columns?: readonly ExtraColumn[];
}

/** Voxels of the largest component that is divided, where nothing else is asked. */
export const MOST_COMPONENT_VOXELS = 1e8;

/**
 * Runs a pipeline: blocks in, tables of cells out.
 *
 * Reads each block's core and halo, streams it through the native chain, joins what crosses cores, and delivers the
 * cells in batches, in block order: first the cells inside a block, in z, y, x order with those of components whose last block it is. The cells
 * do not depend on cores, threads, memory, target or the order in which blocks end. A block that is skipped, because a
 * later one came or the stream ended, counts as outside the mask; one that comes again is ignored. The last batch, possibly
 * empty, always comes; of several branches one each. Blocks of several volumes may be merged: each is joined by itself, and volumes
 * whose blocks come one after another are delivered so. Unsubscribing stops reads and native work; see `idle`.
 *
 * @needs `maxima`, and for sizes and intensities `shape` and `intensity`
 * @throws {OptionError} at once, if an option is out of range; in the stream, if a column asked for needs shapes and there are none
 * @throws {BudgetError} in the stream, before the first read, if a block can never fit the memory
 * @throws {LayoutError} in the stream, if blocks do not belong together
 * @throws {BlockError} in the stream, if a source or a step fails, naming the region
 * @throws {ComponentError} in the stream, if a component has more than `maxComponentVoxels`
 * @example blocks(volume).pipe(maxima(), shape({ threshold: 700 }), cells({ memory: '1 GiB' }), write(csv('cells.csv')))
 */
export function cells(
  options: CellsOptions = {},
): <Has extends Result>(blocks: Observable<Block<Has>> & Needs<Has, 'maxima'>) => Observable<CellBatch> {
  const { order = 'index', maxComponentVoxels = MOST_COMPONENT_VOXELS, columns = [] } = options;
  if (order !== 'index' && order !== 'any') throw new OptionError('cells', 'order', "'index' or 'any'", order);
  if (!Number.isInteger(maxComponentVoxels) || maxComponentVoxels < 1 || maxComponentVoxels > 4e9) {
    throw new OptionError('cells', 'maxComponentVoxels', 'an integer in 1..4e9', maxComponentVoxels);
  }
  checkColumns('cells', columns);
  const drive = driver('cells', options);
  return (source) =>
    new Observable((subscriber) =>
      drive(source as Observable<AnyBlock>, subscriber, {
        options: { order, maxComponentVoxels, wanted: 'cells', columns },
        volumeColumn: columns.includes('volume'),
        next: (batch) => subscriber.next(batch),
        done: () => subscriber.complete(),
      }),
    );
}
