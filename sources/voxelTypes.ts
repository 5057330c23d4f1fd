import type { Dtype } from '../core/volume.js';
import type { StoredType } from '../native/fileReader.js';

/** The array that holds voxels of each type. */
export interface VoxelArrays {
  readonly uint8: Uint8Array;
  readonly uint16: Uint16Array;
  readonly float32: Float32Array;
}

export const voxelArrays = { uint8: Uint8Array, uint16: Uint16Array, float32: Float32Array } as const;

/** An array for so many voxels, all 0. */
export function newVoxels<D extends Dtype>(dtype: D, count: number): VoxelArrays[D] {
  return new voxelArrays[dtype](count) as VoxelArrays[D];
}

/** The type of the voxels that an array holds; undefined for other arrays, and for what is none. */
export function dtypeOf(data: unknown): Dtype | undefined {
  return DTYPES.find((dtype) => data instanceof voxelArrays[dtype]);
}

/** All types of voxels. */
export const DTYPES = ['uint8', 'uint16', 'float32'] as const satisfies readonly Dtype[];

/** The bytes of a stored voxel, and what it is once it is read. */
export const storedAs: Readonly<Record<StoredType, { readonly bytes: number; readonly dtype: Dtype }>> = {
  bool: { bytes: 1, dtype: 'uint8' },
  uint8: { bytes: 1, dtype: 'uint8' },
  uint16: { bytes: 2, dtype: 'uint16' },
  int16: { bytes: 2, dtype: 'uint16' },
  uint32: { bytes: 4, dtype: 'uint16' },
  float32: { bytes: 4, dtype: 'float32' },
};
