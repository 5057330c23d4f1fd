import type { BlocksOptions } from '../core/blocks.js';
import type { CellsOptions } from '../core/cells.js';
import type { LayoutOptions } from '../core/layout.js';
import type { Volume } from '../core/volume.js';
import { tissueMask } from '../sources/tissueMask.js';

/** How `detectCells` works: the layout of blocks, threads and memory, which never change the cells, and where to look for them. */
export interface DetectionProcessing extends LayoutOptions, Pick<CellsOptions, 'threads' | 'memory' | 'progress'> {
  /** What is 0 where nothing is to be found: a volume, or the path of a .npy or TIFF file; it may be coarser. */
  readonly mask?: string | Volume;
  /** Ends the run when aborted: the promise rejects with its reason, once nothing is left behind. */
  readonly signal?: AbortSignal;
}

/** The options of `blocks`; the mask's file is opened. */
export async function blocksOptions({ mask, ...processing }: DetectionProcessing): Promise<BlocksOptions> {
  const { size, axes, sizeMax, sizeMin, overlap, region } = processing;
  const opened = typeof mask === 'string' ? await tissueMask(mask) : mask;
  return defined({ size, axes, sizeMax, sizeMin, overlap, region, mask: opened });
}

/** The options of `cells`. */
export function cellsOptions({ threads, memory, progress }: DetectionProcessing): CellsOptions {
  return defined({ threads, memory, progress });
}

/** The same options without those that are undefined, which is to leave them out. */
function defined<T extends object>(options: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>;
  };
}
