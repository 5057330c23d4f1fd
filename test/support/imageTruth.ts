/** Whether images that a run made are those that SPEC.md has its steps make. */
import type { Voxels } from '../../core/volume.js';
import { type ImageName, type ImageSteps, type Images, imagesOf } from './naiveImages.js';
import { position } from './places.js';
import type { Drawn } from './volumes.js';

/**
 * How far a difference of Gaussians may be from its truth: float32, and so in steps of the least float where the input is as small as
 * that, over all taps.
 */
export function dogTolerance(from: Voxels): number {
  let largest = 0;
  for (const value of from) largest = Math.max(largest, Math.abs(value));
  return 1e-5 * largest + 64 * 2 ** -149;
}

/** The first voxel of each image that is not right; a step is held to what it makes of the image that the run made before. */
export function imageProblems(drawn: Drawn, steps: ImageSteps, found: Partial<Images>): Record<string, unknown> {
  const wrong: Record<string, unknown> = {};
  for (const [name, { image, from }] of Object.entries(imagesOf(drawn, steps, found).made)) {
    const ours = found[name as ImageName];
    if (ours === undefined || ours.constructor !== image.constructor || ours.length !== image.length) {
      wrong[name] =
        `${ours?.length} voxels of ${ours?.constructor.name}, expected ${image.length} of ${image.constructor.name}`;
      continue;
    }
    const tolerance = name === 'dog' ? dogTolerance(from) : 0;
    const right = (value: number, at: number) =>
      Math.abs(value - (image[at] as number)) <= tolerance && !Object.is(value, -0);
    const at = ours.findIndex((value, voxel) => !right(value, voxel));
    if (at >= 0) wrong[name] = { at: position(at, drawn.size), found: ours[at], right: image[at], tolerance };
  }
  return wrong;
}
