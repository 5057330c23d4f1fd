import {
  addon,
  type ChainConfig,
  type ChainOutput,
  type DetectorOutput,
  type PlanesWanted,
  type PushResult,
} from '../native/index.js';
import { onAbort } from '../native/onAbort.js';
import type { AnyBlock } from './block.js';
import { arrivedPlanes } from './blocks.js';
import { type ChainSlabs, divideSlabs, type ExternalRings, nativeMemory } from './chainMemory.js';
import type { ChainPlan } from './chainPlan.js';
import { type Region, voxelCount } from './geometry.js';
import type { ImageGrant } from './images.js';
import type { Lanes } from './lanes.js';
import { PlaneReader } from './planeReader.js';
import { type Voxels, voxelsOver } from './volume.js';
import { type Making, makePlanes } from './wantedPlanes.js';
import { WindowMeasures } from './windowMeasures.js';

/** What it takes to run a chain on one block. */
export interface BlockRun {
  readonly block: AnyBlock;
  readonly chain: ChainPlan;
  readonly config: ChainConfig;
  readonly grant: ImageGrant;
  readonly lanes: Lanes;
  /** How many threads a push should take at most, asked each time. */
  readonly width: () => number;
  readonly signal: AbortSignal;
  /** Takes what each push leaves of each branch, before the next one starts. */
  readonly output: (outputs: readonly DetectorOutput[]) => Promise<void>;
  /** Takes planes of the core of the image that is the n-th of those saved, before they are overwritten. */
  readonly saved?: (n: number, region: Region, voxels: Voxels) => Promise<void>;
  /** Told before each read how many bytes it asks for. */
  readonly reading?: (bytes: number) => void;
  /** Told after each push of the first plane that this block still reads. */
  readonly passed?: (nextPlane: number) => void;
}

/**
 * Runs a block's chain: reads planes into the rings of its inputs, one push ahead of the chain, and pushes them. Settles
 * only when nothing touches the block's memory any more. Rejects with the signal's reason when aborted.
 */
export async function runBlock(run: BlockRun): Promise<void> {
  const { block, chain, config, grant, signal } = run;
  const slabs = divideSlabs(addon.chainNeeds(config, 1), grant.slabs);
  const native = new addon.Chain(config, nativeMemory(slabs));
  const forget = onAbort(signal, () => native.stop());
  const rings = slabs.inputs;
  const reader = new PlaneReader({ block, chain, config, rings, signal, reading: run.reading ?? (() => {}) });
  const windowMeasures = new WindowMeasures(block, chain.branches, slabs.windows, signal);
  /** The push under way, to its end: what it waits for is made here, and no thread of the pool waits meanwhile. */
  const finished = async ({ output, wanted, windows }: PushResult): Promise<ChainOutput> => {
    signal.throwIfAborted();
    if (output) return output;
    if (wanted) await makePlanes(making(run, slabs, wanted), wanted);
    const values = windows ? await windowMeasures.measure(windows) : null;
    signal.throwIfAborted();
    return finished(await run.lanes.run(run.width, (lanes) => native.resume(values, lanes)));
  };
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
      const push = await run.lanes.run(run.width, (lanes) => native.push(planes.count, planes.last, highZ, lanes));
      const { detectors, saved } = await finished(push);
      await handOver(run, slabs.saved, saved);
      await run.output(detectors);
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

/** What it takes to make the planes that a chain waits for. */
function making({ block, chain, config, lanes, signal }: BlockRun, slabs: ChainSlabs, { image }: PlanesWanted): Making {
  const rings = slabs.external.find(({ result }) => result.image === image) as ExternalRings;
  return { plan: chain.stepOf(image), config, volume: block.volume.size, rings, lanes, signal };
}

async function hasCoreBehind({ block, signal }: BlockRun): Promise<boolean> {
  const { volume, layout, core } = block;
  if (layout.stop.z !== null && core.stop.z >= layout.stop.z) return false;
  return (await arrivedPlanes(volume, core.stop.z + 1, signal)) > core.stop.z;
}

/** Gives the planes of saved images that a push has left to whoever takes them. */
async function handOver(
  { block: { core }, chain, saved }: BlockRun,
  slabs: readonly SharedArrayBuffer[],
  spans: ChainOutput['saved'],
): Promise<void> {
  for (const [n, { dtype }] of chain.saves.entries()) {
    const [start, stop] = spans[n] as readonly [number, number];
    if (stop <= start) continue;
    const region = { start: { ...core.start, z: start }, stop: { ...core.stop, z: stop } };
    await saved?.(n, region, voxelsOver(dtype, slabs[n] as SharedArrayBuffer, 0, voxelCount(region)));
  }
}
