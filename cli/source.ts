import type { Zyx } from '../core/geometry.js';
import type { Volume } from '../core/volume.js';
import { openSource } from '../sources/open.js';

/** Opens what a path names; the voxel size that the user knows goes before that of the file. */
export async function openVolume(path: string, voxelSizeUm?: Zyx): Promise<Volume> {
  const volume = await openSource(path);
  return voxelSizeUm ? Object.assign(Object.create(volume) as Volume, { voxelSizeUm }) : volume;
}
