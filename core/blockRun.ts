import { addon, type ChainConfig, type ChainOutput, type DetectorOutput } from '../native/index.js';
import { onAbort } from '../native/onAbort.js';
import type { AnyBlock } from './block.js';
import { arrivedPlanes } from './blocks.js';
import type { ChainPlan } from './chainPlan.js';
import { type Region, voxelCount } from './geometry.js';
import type { ImageGrant } from './images.js';
import type { Lanes } from './lanes.js';
import { PlaneReader } from './planeReader.js';
import { type Voxels, voxelsOver } from './volume.js';

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
  const inputs = grant.slabs.slice(0, grant.slabs.length - chain.saves.length - 1);
  const [workspace, ...saved] = grant.slabs.slice(inputs.length);
  const bytes = (slab: SharedArrayBuffer) => new Uint8Array(slab);
  const native = new addon.Chain(config, inputs.map(bytes), bytes(workspace as SharedArrayBuffer), saved.map(bytes));
  const forget = onAbort(signal, () => native.stop());
  const reader = new PlaneReader({ block, chain, config, rings: inputs, signal, reading: run.reading ?? (() => {}) });
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
      const { detectors, saved: spans } = await run.lanes.run(run.width, (lanes) =>
        native.push(planes.count, planes.last, highZ, lanes),
      );
      signal.throwIfAborted();
      await handOver(run, saved, spans);
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
