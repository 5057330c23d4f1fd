import { Observable } from 'rxjs';
import { type Block, FIXED_IMAGES, type Layout, type NamedImage, type Result, type StepPlan } from './block.js';
import { voxelsOf } from './blockVoxels.js';
import { OptionError } from './errors.js';
import type { Region } from './geometry.js';
import { coreAt, type LayoutOptions, layoutOf } from './layout.js';
import type { Volume, VolumeSize } from './volume.js';

export interface BlocksOptions<Also extends NamedImage = never> extends LayoutOptions {
  /**
   * A volume that is 0 where nothing is to be found: those voxels count as outside the mask of cells, though windows still see them,
   * and blocks that have no others are not read. A coarser one is stretched: a voxel asks the mask's voxel that its center lies in.
   */
  readonly mask?: Volume;
  /** Co-registered channels of the same extent, by the names under which they are measured. */
  readonly also?: { readonly [Name in Also]: Volume };
}

/**
 * Describes a volume as a stream of blocks whose cores tile it without gap or overlap, in z, y, x order.
 *
 * Blocks are lazy: they hold no voxels and cost nothing, so any RxJS operator may drop, share or buffer them. Voxels are
 * read where something asks for them, such as `cells()`. Of a volume whose depth is not known yet, a block comes when the planes of
 * its core have arrived; the last ones may be shallower.
 *
 * @throws {OptionError} at once, if a size is not a positive integer, a region does not lie in the volume, there is a mask and the
 * depth is not known, or `also` has a name that a step makes or a volume of another extent
 * @example blocks(volume, { size: { z: 64, y: 512, x: 512 } }).pipe(removeBackground(), maxima(), shape(), cells())
 */
export function blocks<Also extends NamedImage = never>(
  volume: Volume,
  { mask, also, ...options }: BlocksOptions<Also> = {},
): Observable<Block<'source' | NoInfer<Also>>> {
  const layout = layoutOf(volume, options);
  const inputs = { volume, also: { ...also }, ...(mask ? { mask } : {}) };
  checkInputs(inputs);
  const describe = (index: number, core: Region) =>
    new LazyBlock<'source' | Also>(
      inputs,
      layout,
      index,
      core,
      [],
      new Set(['source', ...Object.keys(inputs.also)] as ('source' | Also)[]),
    );
  return new Observable((subscriber) => {
    const abort = new AbortController();
    if (layout.counts.z !== null) {
      const count = layout.counts.z * layout.counts.y * layout.counts.x;
      for (let index = 0; index < count && !subscriber.closed; index++) {
        subscriber.next(describe(index, coreAt(layout, index)));
      }
      subscriber.complete();
      return;
    }
    const emit = async () => {
      const slab = layout.counts.y * layout.counts.x;
      for (let first = 0; ; first += slab) {
        const { start, stop } = coreAt(layout, first);
        const depth = await arrivedPlanes(volume, stop.z, abort.signal);
        for (let index = first; index < first + slab && depth > start.z && !subscriber.closed; index++) {
          subscriber.next(describe(index, coreAt(layout, index, depth)));
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

/** The volumes that the blocks of a stream read. */
type Inputs = Pick<Block<Result>, 'volume' | 'also' | 'mask'>;

function checkInputs({ volume, also, mask }: Inputs): void {
  const text = ({ z, y, x }: VolumeSize) => `${z ?? '?'} x ${y} x ${x}`;
  for (const [name, other] of Object.entries(also)) {
    if ((FIXED_IMAGES as readonly string[]).includes(name)) {
      throw new OptionError('blocks', 'also', `names other than ${FIXED_IMAGES.join(', ')}`, name);
    }
    const [expected, got] = [text(volume.size), text(other.size)];
    if (got !== expected) throw new OptionError('blocks', `also.${name}`, `of ${expected} voxels as ${volume.id}`, got);
  }
  // Where a voxel lies in the mask depends on both depths.
  for (const { id, size } of mask ? [mask, volume] : []) {
    if (size.z === null) throw new OptionError('blocks', 'mask', 'of known depth, as its volume', `${id} of none yet`);
  }
}

class LazyBlock<Has extends Result> implements Block<Has> {
  readonly volume: Volume;
  readonly also: Readonly<Record<string, Volume>>;
  declare readonly mask?: Volume;

  constructor(
    private readonly inputs: Inputs,
    readonly layout: Layout,
    readonly index: number,
    readonly core: Region,
    readonly plans: readonly StepPlan[],
    readonly has: ReadonlySet<Has>,
  ) {
    this.volume = inputs.volume;
    this.also = inputs.also;
    if (inputs.mask) this.mask = inputs.mask;
  }

  with(plan: StepPlan): Block<Result> {
    const has = new Set<Result>([...this.has, ...plan.adds]);
    return new LazyBlock(this.inputs, this.layout, this.index, this.core, [...this.plans, plan], has);
  }

  voxels(...[step, options]: Parameters<Block<Has>['voxels']>): ReturnType<Block<Has>['voxels']> {
    return voxelsOf(this, step, options?.signal);
  }
}
