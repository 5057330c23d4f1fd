import type { AnyBlock } from './block.js';
import { LayoutError } from './errors.js';

/** Which blocks of a volume came to a run: refuses those that do not belong to it, ignores repeats, knows which never come. */
export class Arrivals {
  /** The steps of each block that came, written out to be compared. */
  private readonly steps = new Map<number, string>();
  private first: AnyBlock | undefined;
  /** With blocks in order: one more than the highest index that came. */
  private closedBelow = 0;
  private ended = false;

  constructor(private readonly order: 'index' | 'any') {}

  /**
   * Takes a block; false if it is a repeat. The first one decides on layout and steps.
   *
   * @throws {LayoutError} if it is of another layout, pipeline, mask or channels, or came too late
   */
  take(block: AnyBlock): boolean {
    this.first ??= block;
    const { first } = this;
    const name = `cells: block ${block.index} of ${block.volume.id}`;
    if (block.mask !== first.mask || Object.keys(block.also).some((one) => block.also[one] !== first.also[one])) {
      throw new LayoutError(`${name}: expected the mask and channels of the first block, got others`);
    }
    if (JSON.stringify(block.layout) !== JSON.stringify(first.layout)) {
      throw new LayoutError(`${name}: expected cores as of the first block, got another layout`);
    }
    const steps = JSON.stringify(block.plans);
    const known = this.steps.get(block.index);
    const expected = known ?? JSON.stringify(first.plans);
    if (steps !== expected) throw new LayoutError(`${name}: expected the steps ${expected}, got ${steps}`);
    if (known !== undefined) return false;
    if (block.index < this.closedBelow) {
      throw new LayoutError(
        `${name} came after block ${this.closedBelow - 1}; expected blocks in order, or order: 'any'`,
      );
    }
    this.steps.set(block.index, steps);
    return true;
  }

  /** The blocks before this one that did not come, and with blocks in order never will; each is named once. */
  skippedBefore({ index }: AnyBlock): number[] {
    if (this.order === 'any') return [];
    const skipped: number[] = [];
    for (let i = this.closedBelow; i < index; i++) skipped.push(i);
    this.closedBelow = index + 1;
    return skipped;
  }

  /** Says that no more blocks come. */
  end(): void {
    this.ended = true;
  }

  get hasEnded(): boolean {
    return this.ended;
  }

  /** How many blocks came. */
  get count(): number {
    return this.steps.size;
  }

  /** Whether, of so many blocks, each has come or never will. */
  areAllIn(count: number): boolean {
    return this.order === 'any' ? this.steps.size === count : this.closedBelow === count;
  }

  /** Whether a block that did not come never will. */
  isClosed(index: number): boolean {
    return !this.steps.has(index) && (index < this.closedBelow || this.ended);
  }
}
