import { addon, type ChainConfig, type NativeBox } from '../native/index.js';
import { type AnyBlock, FIXED_IMAGES, type FixedImage, type ImageResult, type Result, type StepPlan } from './block.js';
import { BudgetError, LayoutError, OptionError } from './errors.js';
import { addHalos, extent, grow, type Halo, noHalo, type Region, type Zyx, zyx } from './geometry.js';
import { type ImageRequest, imageBytes } from './images.js';
import { neighbour } from './layout.js';
import type { SparseMemory } from './sparse.js';
import type { Target } from './target.js';

/** Voxels of one push of planes into a chain: enough that the border between JavaScript and C++ costs nothing. */
const PUSH_VOXELS = 2 * 1024 * 1024;
/** What a chain may hold of open components, and its largest fragment, as parts of the sparse half. */
const HELD_PART = 1 / 32;
const MOST_HELD_BYTES = 4 * 1024 * 1024;
const MOST_FRAGMENT_BYTES = 1024 * 1024;
/** The threshold that every voxel is above: it stands for null. */
const BELOW_ALL = -1;
/** The smallest sparse half that leaves every part room for a row, a run and a fragment. */
export const LEAST_SPARSE_BYTES = 16 * 1024;

interface BackgroundOptions {
  readonly size: { readonly y: number; readonly x: number };
}
interface MaximaOptions {
  readonly size: Zyx;
  readonly threshold: number | null;
}
interface ShapeOptions {
  readonly threshold: number | null;
}
interface IntensityOptions {
  readonly measure: readonly ImageResult[];
}

/** A pipeline's steps, read once: what a native chain is told, block by block, and what its rows mean. */
export class ChainPlan {
  /** Voxels that the whole chain reads around a core. */
  readonly halo: Halo;
  /** Names of the table's columns, and for each its place in a native row. */
  readonly columns: readonly string[];
  readonly places: readonly number[];
  /** Numbers of a native row. */
  readonly rowWidth: number;
  /** Images whose values are kept with the mask: 1, or 2 where the source is measured beside the image. */
  readonly channels: number;
  readonly hasShape: boolean;
  readonly maskThreshold: number;
  private readonly background: BackgroundOptions | undefined;
  private readonly maxima: MaximaOptions | undefined;

  constructor(readonly plans: readonly StepPlan[]) {
    const options = <T>(adds: Result) => plans.find((plan) => plan.adds.includes(adds))?.options as T | undefined;
    this.halo = plans.reduce((sum, plan) => addHalos(sum, plan.halo), noHalo);
    this.background = options<BackgroundOptions>('background');
    this.maxima = options<MaximaOptions>('maxima');
    const shape = options<ShapeOptions>('shape');
    this.hasShape = shape !== undefined;
    this.maskThreshold = shape?.threshold ?? BELOW_ALL;
    const measured = options<IntensityOptions>('intensity')?.measure ?? [];
    const image = this.imageOf('dog');
    const images = measured.map((name) => this.imageOf(name as FixedImage));
    this.channels = images.some((name) => name !== image) ? 2 : 1;
    this.rowWidth = this.hasShape ? 4 + this.channels : 3;
    this.columns = ['x', 'y', 'z', ...(shape ? ['size'] : []), ...measured];
    const fixed = shape ? [0, 1, 2, 3] : [0, 1, 2];
    this.places = [...fixed, ...images.map((name) => (name === image ? 4 : 5))];
  }

  /** The image that a name stands for: itself if a step makes it, else the nearest made before it. */
  imageOf(name: FixedImage): FixedImage {
    const upTo = FIXED_IMAGES.slice(0, FIXED_IMAGES.indexOf(name) + 1);
    return upTo.findLast((made) => this.plans.some((plan) => plan.adds.includes(made))) ?? 'source';
  }

  /** The region that a block reads: its core and the halo, clipped to the volume as far as its depth is known. */
  readRegion(block: AnyBlock): Region {
    const { z, y, x } = block.volume.size;
    return grow(block.core, this.halo, { z: z ?? Number.POSITIVE_INFINITY, y, x });
  }

  /** What the native chain of a block is told. */
  config(block: AnyBlock, target: Target, sparse: SparseMemory | null): ChainConfig {
    const { volume, layout, index, core } = block;
    const read = this.readRegion(block);
    const inner = (axis: 'z' | 'y' | 'x', side: -1 | 1) => neighbour(layout, index, axis, side) !== null;
    const heldLimitBytes = Math.min((sparse?.capacityBytes ?? 0) * HELD_PART, MOST_HELD_BYTES);
    return {
      target,
      height: volume.size.y,
      width: volume.size.x,
      core: nativeBox(core),
      read: nativeBox(read),
      innerLow: [inner('z', -1), inner('y', -1), inner('x', -1)],
      innerHigh: [false, inner('y', 1), inner('x', 1)],
      backgroundY: this.background?.size.y ?? 0,
      backgroundX: this.background?.size.x ?? 0,
      maxima: this.maxima !== undefined,
      windowZ: this.maxima?.size.z ?? 0,
      windowY: this.maxima?.size.y ?? 0,
      windowX: this.maxima?.size.x ?? 0,
      // A maximum outside the mask is no cell, so with a shape it need not be looked for there.
      seedThreshold: Math.max(this.maxima?.threshold ?? BELOW_ALL, this.maskThreshold),
      shape: this.hasShape,
      maskThreshold: this.maskThreshold,
      sourceChannel: this.channels > 1,
      batchPlanes: this.batchPlanes(block),
      heldLimitBytes,
      fragmentLimitBytes: Math.min(heldLimitBytes, MOST_FRAGMENT_BYTES),
      floodLimitVoxels: Math.floor(heldLimitBytes / 32),
    };
  }

  /**
   * What each block of a layout asks of the image half: what the largest does, so that slabs of one size serve all.
   */
  request(block: AnyBlock, target: Target, sparse: SparseMemory | null, threads: number): ImageRequest {
    const size = this.largestRead(block);
    const core = block.layout.coreSize;
    const start = zyx((a) => Math.min(this.halo.before[a], size[a] - core[a]));
    const config = {
      ...this.config(block, target, sparse),
      core: nativeBox({ start, stop: zyx((a) => start[a] + core[a]) }),
      read: nativeBox({ start: { z: 0, y: 0, x: 0 }, stop: size }),
    };
    const needs = addon.chainNeeds(config, threads);
    return { slabBytes: [needs.sourceBytes, Math.max(64, needs.workspaceBytes)], nativeBytes: needs.sparseBytes };
  }

  /** The extent of a region that no block of the layout reads more of, along any axis, nor its steps work on more of. */
  private largestRead({ layout, volume }: AnyBlock): Zyx {
    const { before, after } = this.halo;
    return zyx((a) => {
      const core = layout.coreSize[a];
      return core === volume.size[a] ? core : core + before[a] + after[a];
    });
  }

  /** Planes of one push; of a running acquisition one, so that cells come as soon as they can. */
  private batchPlanes(block: AnyBlock): number {
    if (block.volume.keepsPlanes !== undefined) return 1;
    const { z, y, x } = this.largestRead(block);
    return Math.max(1, Math.min(z, Math.floor(PUSH_VOXELS / (y * x))));
  }

  /** Planes that the ring of a block's source holds. */
  sourcePlanes(config: ChainConfig): number {
    return addon.chainNeeds(config, 1).sourcePlanes;
  }
}

/** Refuses what no run of these blocks could do, before the first read. */
export function checkBlock(chain: ChainPlan, block: AnyBlock, request: ImageRequest, capacityBytes: number): void {
  const { volume } = block;
  if (volume.dtype !== 'uint16') {
    throw new LayoutError(`${volume.id}: the chain takes uint16 voxels, got ${volume.dtype}`);
  }
  const bytes = imageBytes(request);
  if (bytes > capacityBytes) {
    const steps = chain.plans.map((plan) => plan.name).join(', ') || 'reading';
    throw new BudgetError(
      `a block of ${sizeText(extent(block.core))} voxels with its halo (${steps})`,
      bytes,
      capacityBytes,
      'give it more memory (half of a budget is for images), or smaller blocks',
    );
  }
  if (volume.keepsPlanes !== undefined) checkLive(chain, block, volume.keepsPlanes);
}

/** A running acquisition has to keep the planes that the next block looks back on, and all that blocks in a slab share. */
function checkLive(chain: ChainPlan, block: AnyBlock, keepsPlanes: number): void {
  const needed = block.layout.coreSize.z + chain.halo.before.z + Math.max(1, chain.halo.after.z);
  if (keepsPlanes < needed) {
    throw new OptionError(
      block.volume.id,
      'buffer',
      `at least ${needed} planes for cores of ${block.layout.coreSize.z} planes and this chain's halo`,
      keepsPlanes,
    );
  }
}

/** The first plane that this block and those after it still read. */
export function firstPlaneNeeded(chain: ChainPlan, block: AnyBlock, blockNeeds: boolean): number {
  const { layout, index, core } = block;
  const last = index % (layout.counts.y * layout.counts.x) === layout.counts.y * layout.counts.x - 1;
  const from = blockNeeds || !last ? core.start.z : core.stop.z;
  return Math.max(0, from - chain.halo.before.z);
}

function nativeBox({ start, stop }: Region): NativeBox {
  return { z: [start.z, stop.z], y: [start.y, stop.y], x: [start.x, stop.x] };
}

function sizeText(size: Zyx): string {
  return `${size.z} x ${size.y} x ${size.x}`;
}
