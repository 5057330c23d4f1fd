/** What a user's function of the tests has to make of a whole volume, voxel by voxel. */
import type { Zyx } from '../../core/geometry.js';
import type { Voxels } from '../../core/volume.js';
import type { Weighing } from './userFunctions.js';

const arrays = { uint8: Uint8Array, uint16: Uint16Array, float32: Float32Array };

/** The image that `weigh` makes; the first image is the step's input, the others come in the order of their names. */
export function weighed(images: readonly Voxels[], size: Zyx, { halo, dtype }: Weighing): Voxels {
  const out = new arrays[dtype](size.z * size.y * size.x);
  const offsets = (reach: number) => Array.from({ length: 2 * reach + 1 }, (_, at) => at - reach);
  out.forEach((_, at) => {
    const x = at % size.x;
    const y = Math.floor(at / size.x) % size.y;
    const z = Math.floor(at / size.x / size.y);
    let sum = 0;
    images.forEach((image, n) => {
      for (const dz of offsets(halo.z).filter((d) => z + d >= 0 && z + d < size.z))
        for (const dy of offsets(halo.y).filter((d) => y + d >= 0 && y + d < size.y))
          for (const dx of offsets(halo.x).filter((d) => x + d >= 0 && x + d < size.x)) {
            const value = image[((z + dz) * size.y + y + dy) * size.x + x + dx] as number;
            sum += value * (173 + 3 * dz + 11 * dy + 29 * dx + 7 * n);
          }
    });
    out[at] = dtype === 'float32' ? sum / 2 ** 14 : sum % 251;
  });
  return out;
}
