import { OptionError } from '../core/errors.js';
import { AXES, type Zyx } from '../core/geometry.js';
import type { Volume, Voxels } from '../core/volume.js';
import { checkRead, copyRegion } from './region.js';
import { dtypeOf } from './voxelTypes.js';

export interface ArrayVolumeOptions {
  /** Tells volumes apart in messages and merged streams. Default `array 1`, `array 2`, and so on. */
  readonly id?: string;
  /** Edge lengths of a voxel in µm. */
  readonly voxelSizeUm?: Zyx;
}

let arrays = 0;

/**
 * A volume over voxels in memory, uint8, uint16 or float32 [z, y, x]: x fastest, then y, then z.
 *
 * They are not copied: the caller leaves them as they are while somebody reads.
 *
 * @throws {OptionError} if `data` is none of the three arrays, an extent is no positive integer, or the two do not match
 * @example const volume = arrayVolume(new Uint16Array(30 * 256 * 256), { z: 30, y: 256, x: 256 })
 */
export function arrayVolume(data: Voxels, size: Zyx, options: ArrayVolumeOptions = {}): Volume {
  for (const axis of AXES) {
    if (!Number.isInteger(size[axis]) || size[axis] < 1) {
      throw new OptionError('arrayVolume', `size.${axis}`, 'an integer of at least 1', size[axis]);
    }
  }
  const count = size.z * size.y * size.x;
  const dtype = dtypeOf(data);
  if (dtype === undefined) {
    const got = Object.prototype.toString.call(data);
    throw new OptionError('arrayVolume', 'data', 'a Uint8Array, Uint16Array or Float32Array', got);
  }
  if (data.length !== count) {
    throw new OptionError('arrayVolume', 'data', `of ${count} voxels, as size says`, data.length);
  }
  const { id = `array ${++arrays}`, voxelSizeUm } = options;
  if (voxelSizeUm) checkVoxelSize('arrayVolume', voxelSizeUm);
  const extent = { z: size.z, y: size.y, x: size.x };
  return {
    id,
    size: extent,
    dtype,
    ...(voxelSizeUm ? { voxelSizeUm } : {}),
    async read(region, into, signal) {
      checkRead(id, extent, dtype, region, into);
      signal.throwIfAborted();
      copyRegion(data, extent, region, into);
    },
  };
}

/** @throws {OptionError} if an edge length is not a positive number */
export function checkVoxelSize(where: string, voxelSizeUm: Zyx): void {
  for (const axis of AXES) {
    if (!(voxelSizeUm[axis] > 0 && Number.isFinite(voxelSizeUm[axis]))) {
      throw new OptionError(where, `voxelSizeUm.${axis}`, 'a number above 0', voxelSizeUm[axis]);
    }
  }
}
