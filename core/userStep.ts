import type { Zyx } from './geometry.js';
import type { VolumeSize, Voxels } from './volume.js';

/** The planes around one that a user's function makes, lent to it until it settles: they must not be written to. */
export interface PlaneWindow {
  /** Planes of the step's input, from `z - halo.z` to `z + halo.z`, as far as the volume has them; x fastest, then y. */
  readonly planes: readonly Voxels[];
  /** The place among `planes` of plane z. */
  readonly center: number;
  /**
   * Rows and columns of every plane, also of the one to be made. The function takes their edges for those of the volume; what is wrong
   * for that, as far as its halo reaches, is cut off.
   */
  readonly size: { readonly y: number; readonly x: number };
  /** Where in the volume the first voxel of `planes[0]` lies. */
  readonly start: Zyx;
  /** Extent of the whole volume. */
  readonly volume: VolumeSize;
  /** The same planes of each further image that was asked for `with` this step, by its name. */
  readonly others: Readonly<Record<string, readonly Voxels[]>>;
  /** What the step was given as `options`. */
  readonly options: unknown;
}

/** Makes plane z: `size.y * size.x` voxels of the declared dtype. */
export type PlaneFunction = (window: PlaneWindow, z: number, signal: AbortSignal) => Voxels | Promise<Voxels>;

/** A function of a module, by the address of the module. */
export interface ModuleCode {
  readonly module: string;
  readonly export: string;
}

/** What runs a step where no kernel does: a function on the JavaScript thread, or one of a module in worker threads. */
export interface UserStep {
  readonly code: PlaneFunction | ModuleCode;
  /** Names of further images of which it is given the same planes. */
  readonly with: readonly string[];
  readonly options: unknown;
}
