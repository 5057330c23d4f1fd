import { OptionError } from '../core/errors.js';
import { AXES, describeRegion, type Region, voxelCount, type Zyx } from '../core/geometry.js';
import type { Dtype, Voxels } from '../core/volume.js';
import { voxelArrays } from './voxelTypes.js';

/**
 * Checks what `Volume.read` was asked for: a region inside the volume, and an array of the right type and length.
 *
 * @throws {OptionError} naming what does not fit
 */
export function checkRead(id: string, size: Zyx, dtype: Dtype, region: Region, into: Voxels): void {
  for (const axis of AXES) {
    const [start, stop] = [region.start[axis], region.stop[axis]];
    if (!Number.isInteger(start) || !Number.isInteger(stop) || start < 0 || start >= stop || stop > size[axis]) {
      const whole = describeRegion({ start: { z: 0, y: 0, x: 0 }, stop: size });
      throw new OptionError(`read ${id}`, 'region', `within ${whole} and not empty`, describeRegion(region));
    }
  }
  const count = voxelCount(region);
  const array = voxelArrays[dtype];
  if (!(into instanceof array) || into.length !== count) {
    const got = `${into.constructor.name} of ${into.length}`;
    throw new OptionError(`read ${id}`, 'into', `a ${array.name} of ${count} voxels`, got);
  }
}

/** Copies a region out of a packed array of that size and `into`'s type; rows that lie one after another go at once. */
export function copyRegion(from: Voxels, size: Zyx, { start, stop }: Region, into: Voxels): void {
  const width = stop.x - start.x;
  const wholeRows = width === size.x;
  const run = wholeRows ? width * (stop.y - start.y) : width;
  let to = 0;
  for (let z = start.z; z < stop.z; z++) {
    for (let y = start.y; y < stop.y; y += wholeRows ? stop.y - start.y : 1) {
      const at = (z * size.y + y) * size.x + start.x;
      into.set(from.subarray(at, at + run), to);
      to += run;
    }
  }
}
