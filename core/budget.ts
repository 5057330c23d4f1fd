import { parseBytes } from './bytes.js';
import { OptionError } from './errors.js';
import { ImageMemory } from './images.js';
import { SparseMemory } from './sparse.js';

/** The two halves of a budget, where they are not to be equal. */
export interface BudgetParts {
  readonly imageBytes: number;
  readonly sparseBytes: number;
  /** Where what does not fit is spilled to. Default: the system's folder for temporary files. */
  readonly spillFolder?: string;
}

/**
 * A number of bytes that one run, or several together, keep to: one half for images, one for sparse data.
 *
 * Images are the rings and read-ahead of the blocks being worked on. Sparse data are results that wait for their turn, open seams and
 * batches that a consumer holds; over its share it goes to a spill file.
 *
 * @throws {OptionError} at once, if a part is not a positive number of bytes
 * @example
 * const memory = new Budget('2 GiB');
 * merge(blocks(volume).pipe(maxima(), cells({ memory })), blocks(nuclei).pipe(maxima(), cells({ memory })))
 */
export class Budget {
  readonly images: ImageMemory;
  readonly sparse: SparseMemory;
  private live = 0;
  private peak = 0;

  constructor(size: number | string | BudgetParts) {
    const parts = typeof size === 'object' ? size : halves(parseBytes('Budget', 'bytes', size));
    for (const part of ['imageBytes', 'sparseBytes'] as const) {
      if (!(parts[part] >= 1)) throw new OptionError('Budget', part, 'a positive number of bytes', parts[part]);
    }
    const changed = (differenceBytes: number) => {
      this.live += differenceBytes;
      this.peak = Math.max(this.peak, this.live);
    };
    this.images = new ImageMemory(parts.imageBytes, changed);
    this.sparse = new SparseMemory(parts.sparseBytes, changed, parts.spillFolder);
  }

  /** Bytes in use now. */
  get liveBytes(): number {
    return this.live;
  }

  /** The greatest number of bytes that were in use at a time. */
  get peakBytes(): number {
    return this.peak;
  }

  get totalBytes(): number {
    return this.images.capacityBytes + this.sparse.capacityBytes;
  }

  /** Bytes written to spill files so far. */
  get spilledBytes(): number {
    return this.sparse.spilledBytes;
  }
}

function halves(bytes: number): BudgetParts {
  const imageBytes = Math.ceil(bytes / 2);
  return { imageBytes, sparseBytes: bytes - imageBytes };
}
