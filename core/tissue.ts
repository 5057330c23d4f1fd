import type { AnyBlock } from './block.js';
import type { Region } from './geometry.js';
import { bytesPerVoxel, type Volume, voxelsOver } from './volume.js';

/** Bytes of a mask that are looked at between two turns of the event loop. */
const PIECE_BYTES = 1024 * 1024;

/** The place of a mask of `coarse` voxels along an axis of `extent` voxels in which the center of voxel `at` lies. */
export function maskPlace(at: number, extent: number, coarse: number): number {
  return Math.floor(((2 * at + 1) * coarse) / (2 * extent));
}

/** Voxels of a mask along an axis that `count` neighbouring voxels ask at most, wherever they begin. */
export function maskVoxelsMost(count: number, extent: number, coarse: number): number {
  return Math.floor(((count - 1) * coarse) / extent) + 2;
}

/** The part of a mask that the voxels of a region ask. */
export function maskRegion(mask: Volume, volume: Volume, { start, stop }: Region): Region {
  const along = (axis: 'z' | 'y' | 'x') => {
    const [extent, coarse] = [volume.size[axis] as number, mask.size[axis] as number];
    return [maskPlace(start[axis], extent, coarse), maskPlace(stop[axis] - 1, extent, coarse) + 1] as const;
  };
  const [z, y, x] = [along('z'), along('y'), along('x')];
  return { start: { z: z[0], y: y[0], x: x[0] }, stop: { z: z[1], y: y[1], x: x[1] } };
}

/** Whether any voxel of a block's core is inside its mask. It is read in pieces, up to the first that has one. */
export async function anyInside({ mask, volume, core }: AnyBlock, signal: AbortSignal): Promise<boolean> {
  if (!mask) return true;
  const { start, stop } = maskRegion(mask, volume, core);
  const rowBytes = (stop.x - start.x) * bytesPerVoxel[mask.dtype];
  const rows = Math.max(1, Math.min(stop.y - start.y, Math.floor(PIECE_BYTES / rowBytes)));
  for (let z = start.z; z < stop.z; z++) {
    for (let y = start.y; y < stop.y; y += rows) {
      const region = { start: { z, y, x: start.x }, stop: { z: z + 1, y: Math.min(y + rows, stop.y), x: stop.x } };
      // Rounded up to whole words, which the last one's spare bytes leave at zero.
      const bytes = new ArrayBuffer(Math.ceil(((region.stop.y - y) * rowBytes) / 8) * 8);
      const voxels = voxelsOver(mask.dtype, bytes, 0, (region.stop.y - y) * (stop.x - start.x));
      await mask.read(region, voxels, signal);
      if (mask.dtype === 'float32' ? voxels.some((value) => value !== 0) : new BigUint64Array(bytes).some(Boolean))
        return true;
    }
  }
  return false;
}
