/** Functions of users, as inline steps take them and as worker threads load them. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PlaneWindow, Voxels } from '../../index.js';

export interface Weighing {
  readonly halo: { readonly z: number; readonly y: number; readonly x: number };
  readonly dtype: 'uint8' | 'uint16' | 'float32';
}

const arrays = { uint8: Uint8Array, uint16: Uint16Array, float32: Float32Array };

/**
 * Sums of all voxels around each, every place with a weight of its own, so that nothing can be swapped or shifted unseen; voxels that are not
 * there do not count. Other images count as well, each differently.
 */
export function weigh({ planes, center, size, others, options }: PlaneWindow): Voxels {
  const { halo, dtype } = options as Weighing;
  const out = new arrays[dtype](size.y * size.x);
  const images = [
    planes,
    ...Object.keys(others)
      .sort()
      .map((name) => others[name] as readonly Voxels[]),
  ];
  for (let y = 0; y < size.y; y++)
    for (let x = 0; x < size.x; x++) {
      let sum = 0;
      for (const [n, image] of images.entries())
        for (let dz = -halo.z; dz <= halo.z; dz++) {
          const plane = image[center + dz];
          if (!plane) continue;
          for (let dy = -halo.y; dy <= halo.y; dy++)
            for (let dx = -halo.x; dx <= halo.x; dx++) {
              if (y + dy < 0 || x + dx < 0 || y + dy >= size.y || x + dx >= size.x) continue;
              const value = plane[(y + dy) * size.x + x + dx] as number;
              sum += value * (173 + dz * 3 + dy * 11 + dx * 29 + n * 7);
            }
        }
      out[y * size.x + x] = dtype === 'float32' ? sum / 2 ** 14 : sum % 251;
    }
  return out;
}

/** The same, some turns of the event loop later. */
export async function weighLater(window: PlaneWindow): Promise<Voxels> {
  for (let turns = window.planes.length; turns > 0; turns--) await nextTurn();
  return weigh(window);
}

/** Half of each voxel. */
export function half({ planes, center }: PlaneWindow): Voxels {
  return (planes[center] as Voxels).map((value) => Math.floor(value / 2));
}

export function boom(): Voxels {
  throw new RangeError('boom');
}

/** Throws what cannot leave a thread. */
export function throwFunction(): Voxels {
  throw () => {};
}

/** From plane 3 on, fails. */
export function boomAtThree(window: PlaneWindow, z: number): Voxels {
  if (z === 3) throw new RangeError('boom');
  return weigh(window);
}

export function tooFew(): Voxels {
  return new Uint16Array(10);
}

export function nothing(): Voxels {
  return undefined as never;
}

export function never(): Promise<Voxels> {
  return new Promise(() => {});
}

/** Keeps its thread busy for good. */
export function forever(): Voxels {
  for (;;);
}

export function leave(): Voxels {
  process.exit(3);
}

/** A float32 plane whose voxel at row 1, column 2 is none. */
export function notANumber({ size }: PlaneWindow): Voxels {
  const out = new Float32Array(size.y * size.x);
  out[size.x + 2] = Number.NaN;
  return out;
}

export const notAFunction = 7;

export default weigh;
