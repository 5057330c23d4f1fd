import type { AnyBlock, FixedImage, ImageResult } from './block.js';
import { runBlock } from './blockRun.js';
import { ChainPlan, checkBlock } from './chainPlan.js';
import { BlockError, OptionError } from './errors.js';
import { voxelCount } from './geometry.js';
import { track } from './idle.js';
import { ImageMemory } from './images.js';
import { Lanes } from './lanes.js';
import { chooseTarget, chooseThreads } from './target.js';
import type { Voxels } from './volume.js';

/** Runs a block's chain up to an image and gives that image on the core; see `Block.voxels`. */
export function voxelsOf(block: AnyBlock, step: ImageResult, signal?: AbortSignal): Promise<Voxels> {
  if (!(block.has as ReadonlySet<string>).has(step)) {
    throw new OptionError('voxels', 'step', `one of ${[...block.has].join(', ')}`, step);
  }
  return track(
    runUpTo(block, step as FixedImage, signal ?? new AbortController().signal).catch((error) => {
      signal?.throwIfAborted();
      throw error instanceof BlockError ? error : new BlockError(block.volume.id, block.core, error);
    }),
  );
}

async function runUpTo(block: AnyBlock, step: FixedImage, signal: AbortSignal): Promise<Voxels> {
  signal.throwIfAborted();
  const voxels = new Uint16Array(voxelCount(block.core));
  if (step === 'source') {
    await block.volume.read(block.core, voxels, signal);
    return voxels;
  }
  const last = block.plans.findIndex((plan) => plan.adds.includes(step));
  const chain = new ChainPlan(block.plans.slice(0, last + 1));
  const target = chooseTarget('voxels');
  const threads = chooseThreads('voxels');
  const request = chain.request(block, target, null, threads);
  checkBlock(chain, block, request, Number.POSITIVE_INFINITY);
  const grant = await new ImageMemory(Number.POSITIVE_INFINITY, () => {}).admit(request, signal);
  await runBlock({
    block,
    chain,
    config: chain.config(block, target, null),
    grant,
    lanes: new Lanes(threads),
    width: () => threads,
    saved: voxels,
    signal,
    output: async () => {},
  });
  return voxels;
}
