import { addon, type ChainConfig, type NativeBox, type NativeImage } from '../native/index.js';
import type { AnyBlock, StepPlan } from './block.js';
import { branchesOf, trunkOf } from './branches.js';
import { BranchPlan } from './branchPlan.js';
import { ChainImages, type ImageNode } from './chainImages.js';
import { slabBytes } from './chainMemory.js';
import type { ExtraColumn } from './columns.js';
import { BudgetError, OptionError } from './errors.js';
import { extent, greaterHalo, grow, type Halo, noHalo, type Region, type Zyx, zyx } from './geometry.js';
import { type ImageRequest, imageBytes } from './images.js';
import { neighbour } from './layout.js';
import { nativeStep } from './nativeSteps.js';
import { checkLabelSinks, type SavedImage, Saves, savesCells } from './saves.js';
import type { SparseMemory } from './sparse.js';
import type { Target } from './target.js';
import { maskRegion, maskVoxelsMost } from './tissue.js';
import type { Volume } from './volume.js';

/** Voxels of one push of planes into a chain: enough that the border between JavaScript and C++ costs nothing. */
const PUSH_VOXELS = 2 * 1024 * 1024;
/** Planes of one push at least where a user's module makes planes: as many may be made side by side. */
const MODULE_PLANES = 4;
/** What a chain may hold of open components, and its largest fragment, as parts of the sparse half. */
const HELD_PART = 1 / 32;
const MOST_HELD_BYTES = 4 * 1024 * 1024;
const MOST_FRAGMENT_BYTES = 1024 * 1024;
/** The smallest sparse half that leaves every part room for a row, a run and a fragment. */
export const LEAST_SPARSE_BYTES = 16 * 1024;

/** What is wanted of the pipeline: tables of cells and what its `save` steps ask for, the latter alone, or one image. */
export type Wanted = 'cells' | 'saves' | { readonly image: string };

/** A pipeline's steps, read once: what a native chain is told, block by block, and what comes out of it. */
export class ChainPlan {
  /** The tables that it gives. */
  readonly branches: readonly BranchPlan[];
  readonly saves: readonly SavedImage[];
  /** Voxels that the whole chain reads around a core. */
  readonly halo: Halo;
  readonly plans: readonly StepPlan[];
  private readonly images: ChainImages;

  constructor(block: AnyBlock, wanted: Wanted = 'cells', columns: readonly ExtraColumn[] = []) {
    this.plans = typeof wanted === 'object' ? upTo(trunkOf(block.plans), wanted.image) : block.plans;
    this.images = new ChainImages(block);
    const all = [...branchesOf(this.plans)];
    const searched = all.filter(([, plans]) => wanted === 'cells' || (wanted === 'saves' && savesCells(plans)));
    this.branches = searched.map(([name, plans]) => new BranchPlan(name, plans, this.images, columns));
    checkLabelSinks(this.branches);
    const saves = new Saves(this.images);
    for (const [branch, plans] of all) {
      if (typeof wanted === 'object') saves.image(this.images.follow(plans).of(wanted.image));
      else
        saves.ofBranch(
          plans,
          this.branches.findIndex(({ name }) => name === branch),
        );
    }
    this.saves = saves.list();
    const { overlap } = block.layout;
    const half = { before: zyx((a) => Math.ceil(overlap[a] / 2)), after: zyx((a) => Math.ceil(overlap[a] / 2)) };
    // Planes of all that is read come together, so of the source come as many as of the channel of which most are wanted.
    const inputs = this.images.nodes.filter(({ volume }) => volume).map(({ halo }) => halo);
    const planes = inputs.reduce(greaterHalo, noHalo);
    const only = (of: Zyx) => ({ z: of.z, y: 0, x: 0 });
    const alongZ = { before: only(planes.before), after: only(planes.after) };
    this.halo = [half, alongZ].reduce(greaterHalo, (this.images.nodes[0] as ImageNode).halo);
  }

  /** The volumes that are read, first the one that blocks are of; and the region that a block reads of each. */
  inputs(block: AnyBlock): { readonly volume: Volume; readonly region: Region }[] {
    return this.images.nodes.flatMap(({ volume, halo }, node) =>
      volume ? [{ volume, region: node === 0 ? this.readRegion(block) : inVolume(block, halo) }] : [],
    );
  }

  /** The region that a block reads: its core and the halo, clipped to the volume as far as its depth is known. */
  readRegion(block: AnyBlock): Region {
    return inVolume(block, this.halo);
  }

  /** What the native chain of a block is told. */
  config(block: AnyBlock, target: Target, sparse: SparseMemory | null): ChainConfig {
    const { volume, layout, index, core } = block;
    const inner = (axis: 'z' | 'y' | 'x', side: -1 | 1) => neighbour(layout, index, axis, side) !== null;
    return {
      target,
      depth: volume.size.z ?? 0,
      height: volume.size.y,
      width: volume.size.x,
      innerLow: [inner('z', -1), inner('y', -1), inner('x', -1)],
      innerHigh: [false, inner('y', 1), inner('x', 1)],
      ...this.boxes(block, core, volume.size),
      tissue: this.tissue(block, (mask) => nativeBox(maskRegion(mask, volume, core))),
      detectors: this.branches.map(({ detector }) => detector),
      saves: this.saves.map(({ image, detector }) => ({ image, detector })),
      batchPlanes: this.batchPlanes(block),
      ...this.limits(sparse),
    };
  }

  /**
   * What each block of a layout asks of the image half: what the largest does, so that slabs of one size serve all.
   */
  request(block: AnyBlock, target: Target, sparse: SparseMemory | null, threads: number): ImageRequest {
    const size = this.largestRead(block);
    const { coreSize } = block.layout;
    const start = zyx((a) => Math.min(this.reach.before[a], size[a] - coreSize[a]));
    const core = { start, stop: zyx((a) => start[a] + coreSize[a]) };
    const tissue = this.tissue(block, (mask, volume) => {
      const most = (a: 'y' | 'x') => Math.min(mask.size[a], maskVoxelsMost(coreSize[a], volume.size[a], mask.size[a]));
      return { y: [0, most('y')], x: [0, most('x')] };
    });
    const config = { ...this.config(block, target, sparse), ...this.boxes(block, core, size), tissue };
    const needs = addon.chainNeeds(config, threads);
    return { slabBytes: slabBytes(needs), nativeBytes: needs.sparseBytes };
  }

  /** The step that makes an image. */
  stepOf(image: number): StepPlan {
    return this.images.nodes[image]?.made?.by as StepPlan;
  }

  /** Planes that the rings of a block's inputs hold. */
  sourcePlanes(config: ChainConfig): number {
    return addon.chainNeeds(config, 1).sourcePlanes;
  }

  /** The boxes of all images around a core, in a volume of this extent as far as it is known. */
  private boxes(block: AnyBlock, core: Region, size: Volume['size']) {
    const within = zyx((a) => size[a] ?? Number.POSITIVE_INFINITY);
    const read = grow(core, this.halo, within);
    const image = ({ dtype, volume, made, halo }: ImageNode, node: number): NativeImage => {
      const { z, y, x } = nativeBox(node === 0 ? read : grow(core, halo, within));
      const name = node === 0 ? '' : (volume?.id ?? made?.by.name ?? '');
      return { dtype, z, y, x, name, ...(made ? nativeStep(made, block) : { from: -1 }) };
    };
    return {
      core: nativeBox(core),
      read: nativeBox(read),
      images: this.images.nodes.map(image),
    };
  }

  private tissue(
    { mask, volume }: AnyBlock,
    box: (mask: Volume, volume: Volume) => Pick<NativeBox, 'y' | 'x'>,
  ): ChainConfig['tissue'] {
    if (!mask || this.branches.length === 0) return null;
    const { y, x } = box(mask, volume);
    return { dtype: mask.dtype, height: mask.size.y, width: mask.size.x, y, x };
  }

  /** What a detector may hold before it lets go of it; several share what one alone would have. */
  private limits(sparse: SparseMemory | null) {
    const bytes = Math.min((sparse?.capacityBytes ?? 0) * HELD_PART, MOST_HELD_BYTES);
    const heldLimitBytes = bytes / Math.max(1, this.branches.length);
    const fragmentLimitBytes = Math.min(heldLimitBytes, MOST_FRAGMENT_BYTES);
    return { heldLimitBytes, fragmentLimitBytes, floodLimitVoxels: Math.floor(heldLimitBytes / 64) };
  }

  /** Voxels around a core that are read of any volume. */
  private get reach(): Halo {
    return this.images.nodes.map(({ halo }) => halo).reduce(greaterHalo, this.halo);
  }

  /** The extent of a region that no block of the layout reads more of, along any axis, nor its steps work on more of. */
  private largestRead({ layout, volume }: AnyBlock): Zyx {
    const { before, after } = this.reach;
    return zyx((a) => {
      const core = layout.coreSize[a];
      return core === volume.size[a] ? core : core + before[a] + after[a];
    });
  }

  /** Planes of one push; of a running acquisition one, so that cells come as soon as they can. */
  private batchPlanes(block: AnyBlock): number {
    if (this.inputs(block).some(({ volume }) => volume.keepsPlanes !== undefined)) return 1;
    const { z, y, x } = this.largestRead(block);
    const least = this.images.nodes.some(({ made }) => typeof made?.by.external?.code === 'object') ? MODULE_PLANES : 1;
    return Math.max(1, Math.min(z, Math.max(least, Math.floor(PUSH_VOXELS / (y * x)))));
  }
}

/** Refuses what no run of these blocks could do, before the first read. */
export function checkBlock(chain: ChainPlan, block: AnyBlock, request: ImageRequest, capacityBytes: number): void {
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
  for (const { volume } of chain.inputs(block)) checkLive(chain, block, volume);
}

/** A running acquisition has to keep the planes that the next block looks back on, and all that blocks in a slab share. */
function checkLive(chain: ChainPlan, { layout }: AnyBlock, { id, keepsPlanes }: Volume): void {
  if (keepsPlanes === undefined) return;
  const needed = layout.coreSize.z + chain.halo.before.z + Math.max(1, chain.halo.after.z);
  if (keepsPlanes < needed) {
    const expected = `at least ${needed} planes for cores of ${layout.coreSize.z} planes and this chain's halo`;
    throw new OptionError(id, 'buffer', expected, keepsPlanes);
  }
}

/** The first plane that this block and those after it still read. */
export function firstPlaneNeeded(chain: ChainPlan, block: AnyBlock, blockNeeds: boolean): number {
  const { layout, index, core } = block;
  const last = index % (layout.counts.y * layout.counts.x) === layout.counts.y * layout.counts.x - 1;
  const from = blockNeeds || !last ? core.start.z : core.stop.z;
  return Math.max(0, from - chain.halo.before.z);
}

/** The steps up to the one that makes an image. */
function upTo(plans: readonly StepPlan[], image: string): readonly StepPlan[] {
  return plans.slice(0, plans.findIndex((plan) => (plan.adds as readonly string[]).includes(image)) + 1);
}

function inVolume({ core, volume }: AnyBlock, halo: Halo): Region {
  return grow(
    core,
    halo,
    zyx((a) => volume.size[a] ?? Number.POSITIVE_INFINITY),
  );
}

function nativeBox({ start, stop }: Region): NativeBox {
  return { z: [start.z, stop.z], y: [start.y, stop.y], x: [start.x, stop.x] };
}

function sizeText(size: Zyx): string {
  return `${size.z} x ${size.y} x ${size.x}`;
}
