import { Observable } from 'rxjs';
import type { Block, Layout, Result, StepPlan } from './block.js';
import { voxelsOf } from './blockVoxels.js';
import type { Region, Zyx } from './geometry.js';
import { coreAt, layoutOf } from './layout.js';
import type { Volume } from './volume.js';

export interface BlocksOptions {
  /** Extent of the cores in voxels, along all axes or each. Default: follows the source, see DESIGN "Running a block". */
  readonly size?: number | Zyx;
}

/**
 * Describes a volume as a stream of blocks whose cores tile it without gap or overlap, in z, y, x order.
 *
 * Blocks are lazy: they hold no voxels and cost nothing, so any RxJS operator may drop, share or buffer them. Voxels are
 * read where something asks for them, such as `cells()`. Of a volume whose depth is not known yet, a block comes when the planes of
 * its core have arrived; the last ones may be shallower.
 *
 * @throws {OptionError} at once, if a size is not a positive integer
 * @example blocks(volume, { size: { z: 64, y: 512, x: 512 } }).pipe(removeBackground(), maxima(), shape(), cells())
 */
export function blocks(volume: Volume, { size }: BlocksOptions = {}): Observable<Block<'source'>> {
  const layout = layoutOf(volume, size);
  return new Observable((subscriber) => {
    const abort = new AbortController();
    if (layout.counts.z !== null) {
      const count = layout.counts.z * layout.counts.y * layout.counts.x;
      for (let index = 0; index < count && !subscriber.closed; index++) {
        subscriber.next(describe(volume, layout, index, coreAt(layout, index, volume.size)));
      }
      subscriber.complete();
      return;
    }
    const emit = async () => {
      const slab = layout.counts.y * layout.counts.x;
      for (let first = 0; ; first += slab) {
        const { start, stop } = coreAt(layout, first, volume.size);
        const depth = await arrivedPlanes(volume, stop.z, abort.signal);
        for (let index = first; index < first + slab && depth > start.z && !subscriber.closed; index++) {
          subscriber.next(describe(volume, layout, index, coreAt(layout, index, { ...volume.size, z: depth })));
        }
        if (depth < stop.z) break;
      }
      subscriber.complete();
    };
    emit().catch((error) => {
      if (!abort.signal.aborted) subscriber.error(error);
    });
    return () => abort.abort();
  });
}

/** How many planes there are once `count` have arrived or the end is known. */
export function arrivedPlanes(volume: Volume, count: number, signal: AbortSignal): Promise<number> {
  if (volume.size.z !== null) return Promise.resolve(Math.min(count, volume.size.z));
  if (!volume.arrived) throw new TypeError(`${volume.id}: a volume of unknown depth has to have arrived()`);
  return volume.arrived(count, signal);
}

function describe(volume: Volume, layout: Layout, index: number, core: Region): Block<'source'> {
  return new LazyBlock(volume, layout, index, core, [], new Set(['source']));
}

class LazyBlock<Has extends Result> implements Block<Has> {
  constructor(
    readonly volume: Volume,
    readonly layout: Layout,
    readonly index: number,
    readonly core: Region,
    readonly plans: readonly StepPlan[],
    readonly has: ReadonlySet<Has>,
  ) {}

  with(plan: StepPlan): Block<Result> {
    const has = new Set<Result>([...this.has, plan.adds]);
    return new LazyBlock(this.volume, this.layout, this.index, this.core, [...this.plans, plan], has);
  }

  voxels(...[step, options]: Parameters<Block<Has>['voxels']>): ReturnType<Block<Has>['voxels']> {
    return voxelsOf(this, step, options?.signal);
  }
}
