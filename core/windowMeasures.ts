import type { WindowsWanted } from '../native/index.js';
import type { AnyBlock } from './block.js';
import type { BranchPlan } from './branchPlan.js';
import { measured } from './measured.js';
import type { WindowColumn } from './userColumns.js';
import { type VolumeSize, voxelsOver } from './volume.js';

/** Has the windows around maxima that a chain waits for measured by the user's functions. */
export class WindowMeasures {
  constructor(
    private readonly block: AnyBlock,
    private readonly branches: readonly BranchPlan[],
    /** The memory in which the windows of each branch lie. */
    private readonly slabs: readonly SharedArrayBuffer[],
    private readonly signal: AbortSignal,
  ) {}

  /** One value a window; rejects with the signal's reason when aborted, even if the function never settles. */
  async measure({ detector, kind, centers, end }: WindowsWanted): Promise<Float64Array> {
    const branch = this.branches[detector] as BranchPlan;
    const { step, dtype, window, call } = branch.windows[kind] as WindowColumn;
    const count = centers.length / 3;
    const length = count * window.z * window.y * window.x;
    const voxels = voxelsOver(dtype, this.slabs[detector] as SharedArrayBuffer, 0, length);
    const cells = { voxels, size: window, centers, volume: this.volume(end) };
    return measured(step, (signal) => call(cells, count, signal), count, this.signal);
  }

  private volume(end: number): VolumeSize {
    const { size } = this.block.volume;
    return { z: size.z ?? (end < END_UNKNOWN ? end : null), y: size.y, x: size.x };
  }
}

/** Where native code says that a volume ends of which it does not know yet. */
const END_UNKNOWN = 2 ** 31 - 1;
