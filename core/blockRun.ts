import { addon, type ChainConfig, type ChainOutput } from '../native/index.js';
import { onAbort } from '../native/onAbort.js';
import type { AnyBlock } from './block.js';
import { arrivedPlanes } from './blocks.js';
import type { ChainPlan } from './chainPlan.js';
import { extent, type Region, voxelCount } from './geometry.js';
import type { ImageGrant } from './images.js';
import type { Lanes } from './lanes.js';

/** What it takes to run a chain on one block. */
export interface BlockRun {
  readonly block: AnyBlock;
  readonly chain: ChainPlan;
  readonly config: ChainConfig;
  readonly grant: ImageGrant;
  readonly lanes: Lanes;
  /** How many threads a push should take at most, asked each time. */
  readonly width: () => number;
  /** Gets the image on the core, for `block.voxels`. */
  readonly saved?: Uint16Array;
  readonly signal: AbortSignal;
  /** Takes what each push leaves, before the next one starts. */
  readonly output: (output: ChainOutput) => Promise<void>;
  /** Told before each read, and how many bytes it asks for. */
  readonly reading?: (region: Region, bytes: number) => void;
  /** Told after each push of the first plane that this block still reads. */
  readonly passed?: (nextPlane: number) => void;
}

/**
 * Runs a block's chain: reads planes into the source ring, one push ahead of the chain, and pushes them. Settles
 * only when nothing touches the block's memory any more. Rejects with the signal's reason when aborted.
 */
export async function runBlock(run: BlockRun): Promise<void> {
  const { config, grant, signal } = run;
  const [source, workspace] = grant.slabs as [SharedArrayBuffer, SharedArrayBuffer];
  const ring = new Uint16Array(source);
  const native = new addon.Chain(config, ring, new Uint8Array(workspace), run.saved ?? null);
  const forget = onAbort(signal, () => native.stop());
  const reader = new PlaneReader(run, ring);
  const readNext = () => {
    const planes = reader.next();
    planes.catch(() => {}); // it is awaited in its turn, which may come after it failed
    return planes;
  };
  let reading = readNext();
  try {
    for (;;) {
      const planes = await reading;
      signal.throwIfAborted();
      if (!planes.last) reading = readNext();
      const highZ = planes.last && (await hasCoreBehind(run));
      const output = await run.lanes.run(run.width, (lanes) => native.push(planes.count, planes.last, highZ, lanes));
      signal.throwIfAborted();
      await run.output(output);
      run.passed?.(planes.next);
      if (planes.last) return;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    forget();
    native.close();
    await Promise.allSettled([reading]);
  }
}

async function hasCoreBehind({ block, signal }: BlockRun): Promise<boolean> {
  const { z } = block.core.stop;
  return (await arrivedPlanes(block.volume, z + 1, signal)) > z;
}

interface Planes {
  readonly count: number;
  readonly last: boolean;
  /** The first plane that is not read yet. */
  readonly next: number;
}

/** Reads a block's planes, batch after batch, each into its place in the ring. */
class PlaneReader {
  private readonly region: Region;
  private readonly ringPlanes: number;
  private readonly planeVoxels: number;
  private at: number;

  constructor(
    private readonly run: BlockRun,
    private readonly ring: Uint16Array,
  ) {
    this.region = run.chain.readRegion(run.block);
    this.ringPlanes = run.chain.sourcePlanes(run.config);
    const { y, x } = extent(this.region);
    this.planeVoxels = y * x;
    this.at = this.region.start.z;
  }

  async next(): Promise<Planes> {
    const { block, config, signal } = this.run;
    const { start, stop } = this.region;
    const from = this.at;
    const wanted = Math.min(from + config.batchPlanes, stop.z);
    const depth = await arrivedPlanes(block.volume, wanted, signal);
    const to = Math.min(wanted, depth);
    this.at = to;
    // The volume may end where nobody could know before: after this batch, or in the middle of it.
    const last = to >= stop.z || to < wanted || (await arrivedPlanes(block.volume, to + 1, signal)) <= to;
    const region = { start: { ...start, z: from }, stop: { ...stop, z: to } };
    const slot = ((from - start.z) % this.ringPlanes) * this.planeVoxels;
    this.run.reading?.(region, voxelCount(region) * Uint16Array.BYTES_PER_ELEMENT);
    if (to > from) await block.volume.read(region, this.ring.subarray(slot, slot + voxelCount(region)), signal);
    return { count: to - from, last, next: to };
  }
}
