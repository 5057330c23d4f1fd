import type { AnyBlock, FixedImage, Result, Step, StepPlan } from './block.js';
import { blocks } from './blocks.js';
import { fillImage } from './blockVoxels.js';
import { imageOf } from './chainImages.js';
import { ChainPlan } from './chainPlan.js';
import { defaultMemoryBytes } from './drive.js';
import { OptionError } from './errors.js';
import { extent, type Region } from './geometry.js';
import { track } from './idle.js';
import { ImageMemory } from './images.js';
import type { SavedImage } from './saves.js';
import { steps } from './steps.js';
import type { Volume } from './volume.js';

/**
 * The result of image steps on a whole volume, as a volume: read region by region, computed as it is read.
 *
 * Each read runs the steps on its region with exactly the surroundings that they need, so it gives the same voxels whatever is read
 * and when; nothing is kept between reads but memory for the next. What the last step makes is what is read.
 *
 * @param volume uint8, uint16 or float32 [z, y, x]
 * @param all steps that make images, such as `removeBackground()`
 * @returns a volume of the same extent and voxel size, in the dtype of the result
 * @throws {OptionError} at once, if there are no steps, or the last one makes no image
 * @throws {BlockError} when reading, if the source or a step fails
 * @example const background = applied(await npy('stitched.npy'), removeBackground({ size: 10 }))
 */
export function applied(volume: Volume, ...all: readonly Step<'source' | FixedImage, Result>[]): Volume {
  const { plans } = steps(...all);
  const image = plans.at(-1) && imageOf(plans.at(-1) as StepPlan);
  if (!image) throw new OptionError('applied', 'the last step', 'one that makes an image', plans.at(-1)?.name);
  const memory = new ImageMemory(defaultMemoryBytes(), () => {});
  const chainOf = (block: AnyBlock) => new ChainPlan(block, { image });
  const any = describe(volume, { start: { z: 0, y: 0, x: 0 }, stop: { z: 1, y: 1, x: 1 } }, plans);
  const [{ dtype }] = chainOf(any).saves as [SavedImage];
  const { id, size, voxelSizeUm, chunks, keepsPlanes, arrived, release } = volume;
  return {
    id: `${plans.map(({ name }) => name).join(', ')} of ${id}`,
    size,
    dtype,
    ...(voxelSizeUm && { voxelSizeUm }),
    ...(chunks && { chunks }),
    ...(keepsPlanes !== undefined && { keepsPlanes }),
    ...(arrived && { arrived: (count, signal) => arrived.call(volume, count, signal) }),
    ...(release && { release: (z) => release.call(volume, z) }),
    async read(region, into, signal) {
      const block = describe(volume, region, plans);
      await track(fillImage(block, chainOf(block), into, memory, signal));
    },
  };
}

/** The one block whose core is a region, with these steps. */
function describe(volume: Volume, region: Region, plans: readonly StepPlan[]): AnyBlock {
  let described: AnyBlock | undefined;
  blocks(volume, { region, size: extent(region) }).subscribe((block) => {
    described = block;
  });
  return plans.reduce((block, plan) => block.with(plan), described as AnyBlock);
}
