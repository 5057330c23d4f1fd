import type { AnyBlock, ImageResult } from './block.js';
import { runBlock } from './blockRun.js';
import { trunkOf } from './branches.js';
import { ChainPlan, checkBlock } from './chainPlan.js';
import { BlockError, OptionError } from './errors.js';
import { voxelCount } from './geometry.js';
import { track } from './idle.js';
import { ImageMemory } from './images.js';
import { Lanes } from './lanes.js';
import type { SavedImage } from './saves.js';
import { chooseTarget, chooseThreads } from './target.js';
import { bytesPerVoxel, type Voxels, voxelsOver } from './volume.js';

/** Runs a block's chain up to an image and gives that image on the core; see `Block.voxels`. */
export function voxelsOf(block: AnyBlock, step: ImageResult, signal?: AbortSignal): Promise<Voxels> {
  const before = ['source', ...Object.keys(block.also), ...trunkOf(block.plans).flatMap(({ adds }) => adds)];
  if (!before.includes(step)) {
    throw new OptionError('voxels', 'step', `one of ${before.join(', ')}`, step);
  }
  const chain = new ChainPlan(block, { image: step });
  const [{ dtype }] = chain.saves as [SavedImage];
  const count = voxelCount(block.core);
  const voxels = voxelsOver(dtype, new ArrayBuffer(count * bytesPerVoxel[dtype]), 0, count);
  const memory = new ImageMemory(Number.POSITIVE_INFINITY, () => {});
  return track(fillImage(block, chain, voxels, memory, signal ?? new AbortController().signal).then(() => voxels));
}

/**
 * Fills an array with the one image that a chain saves, on a block's core.
 *
 * @throws {BlockError} if the source or a step fails; rejects with the signal's reason when aborted
 */
export async function fillImage(
  block: AnyBlock,
  chain: ChainPlan,
  voxels: Voxels,
  memory: ImageMemory,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const [{ dtype }] = chain.saves as [SavedImage];
  const count = voxelCount(block.core);
  if (voxels.length !== count || voxels.BYTES_PER_ELEMENT !== bytesPerVoxel[dtype]) {
    throw new OptionError(
      'read',
      'into',
      `${count} voxels of ${dtype}`,
      `${voxels.constructor.name} of ${voxels.length}`,
    );
  }
  const target = chooseTarget('voxels');
  const threads = chooseThreads('voxels');
  const request = chain.request(block, target, null, threads);
  checkBlock(chain, block, request, memory.capacityBytes);
  const grant = await memory.admit(request, signal);
  const planeVoxels = (block.core.stop.y - block.core.start.y) * (block.core.stop.x - block.core.start.x);
  try {
    await runBlock({
      block,
      chain,
      config: chain.config(block, target, null),
      grant,
      lanes: new Lanes(threads),
      width: () => threads,
      signal,
      output: async () => {},
      saved: async (_, region, planes) => voxels.set(planes, (region.start.z - block.core.start.z) * planeVoxels),
    });
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof BlockError ? error : new BlockError(block.volume.id, block.core, error);
  } finally {
    grant.release();
  }
}
