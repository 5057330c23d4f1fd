/** The native addon, typed: the only file that loads it. */
import { createRequire } from 'node:module';
import type { ChainConfig, FloodRules } from './chainConfig.js';

export type * from './chainConfig.js';

const load = createRequire(import.meta.url);

/** Numbers of a run in `cellRuns`. */
export const cellRunNumbers = 5;

/** What a push leaves of one detector; see native/chain/detector.h. */
export interface DetectorOutput {
  /**
   * A cell's numbers: x, y, z; with shape the size; with shape or radius what was measured of the image and of each channel; those that
   * seeds bring; with shape, where asked, the centroid's x, y, z, the box's x0, x1, y0, y1, z0, z1, half-open, and the flags (1: a
   * voxel on a face of the volume, 2: one with the greatest value of its type); those reserved.
   */
  readonly rows: Float64Array;
  /** Where voxels are asked: z, y, x, length and row of each run, sorted by row, then z, y, x. */
  readonly cellRuns: Int32Array;
  /** Of each image in `voxelChannels`: the values of the runs' voxels, packed, in the order of the runs. */
  readonly cellValues: readonly Uint8Array[];
  readonly fragments: Uint8Array;
  /** `fragmentFields` numbers a fragment; see `FragmentField` in native/chain/fragments.h. */
  readonly index: Float64Array;
  /** Pairs of fragments that are one component. */
  readonly links: Int32Array;
  /** For the faces low z, high z, low y, high y, low x, high x: (u, v, length, fragment) of each run on it. */
  readonly faces: readonly Int32Array[];
}
export const fragmentFields = 12;

/** What a push leaves; see native/chain/chain.h. */
export interface ChainOutput {
  readonly detectors: readonly DetectorOutput[];
  /** Of all that is saved, the first of the planes that were copied out and the one behind the last. */
  readonly saved: readonly (readonly [number, number])[];
}

/**
 * Planes [from, to) of an image that is made outside. Their windows lie ready, as far as there are planes: those from 0 up to the one
 * before `end`.
 */
export interface PlanesWanted {
  readonly image: number;
  readonly from: number;
  readonly to: number;
  readonly end: number;
}

/**
 * Windows around centers (z, y, x), which lie ready one after another, with 0 where the volume has no voxels; it has no planes from `end`
 * on, as far as that is known. `kind` is their place among the detector's.
 */
export interface WindowsWanted {
  readonly detector: number;
  readonly kind: number;
  readonly centers: Int32Array;
  readonly end: number;
}

/** What a push leaves once it is done, or what it waits for until then. */
export interface PushResult {
  readonly output?: ChainOutput;
  readonly wanted?: PlanesWanted;
  readonly windows?: WindowsWanted;
}

export interface NativeChain {
  push(planes: number, last: boolean, innerHighZ: boolean, width: number): Promise<PushResult>;
  /** Goes on with a push whose planes lie in their ring, or with the values of the windows. */
  resume(values: Float64Array | null, width: number): Promise<PushResult>;
  /** Makes the push under way, and later ones, end early. */
  stop(): void;
  /** Gives its memory back; no push may be under way, nor come. */
  close(): void;
}

/** Voxels, runs and seeds of all components of a batch, and of its largest. */
export interface FloodTotals {
  readonly voxels: number;
  readonly runs: number;
  readonly seeds: number;
  readonly mostVoxels: number;
  readonly mostRuns: number;
  readonly mostSeeds: number;
}

/** Some of the runs of cells' voxels and their values, as in `DetectorOutput`; rows are counted over all cells of the batch. */
export interface NativeVoxels {
  readonly runs: Int32Array;
  readonly values: readonly Uint8Array[];
}

export interface FloodOptions extends FloodTotals {
  readonly rules: FloodRules;
  /** Planes, rows and columns of the volume; 0 planes where it is not known how many, and no fragment says it either. */
  readonly volume: readonly [number, number, number];
  readonly inFile: boolean;
  readonly folder: string;
}

export interface NativeFlood {
  /** Takes a fragment of the component under way. */
  add(fragment: Uint8Array): void;
  /** Says that the component under way has all its fragments. */
  close(): void;
  /** Divides the components; gives the cells of all, how many each has, and how many runs their voxels have. */
  run(): Promise<{ readonly rows: Float64Array; readonly counts: Int32Array; readonly cellRuns: number }>;
  /** Copies some of those runs; it finds them at once where the last copy ended. */
  takeVoxels(from: number, count: number): NativeVoxels;
  /** Gives back the memory or the file in which the runs lie. */
  free(): void;
  stop(): void;
}

/** A ring of packed planes of an image: plane z lies at z % planes. */
export interface NativeRing {
  readonly image: number;
  readonly planes: number;
  readonly bytes: number;
}

/** The memory of a chain, as large as `chainNeeds` says. */
export interface ChainMemory {
  readonly inputs: readonly Uint8Array[];
  /** Of each image that is made outside, the ring of its planes, then those of the images that it is made of. */
  readonly external: readonly Uint8Array[];
  readonly saved: readonly Uint8Array[];
  /** Of each detector. */
  readonly windows: readonly Uint8Array[];
  readonly workspace: Uint8Array;
}

export interface ChainNeeds {
  /** Of each input, that of the tissue last. */
  readonly inputBytes: readonly number[];
  /** Of each image that is made outside: the ring of its planes, and those of the images that it is made of. */
  readonly external: readonly (NativeRing & { readonly feeds: readonly NativeRing[] })[];
  readonly savedBytes: readonly number[];
  readonly windowBytes: readonly number[];
  readonly sourcePlanes: number;
  readonly workspaceBytes: number;
  readonly sparseBytes: number;
}

export interface Addon {
  readonly Chain: new (config: ChainConfig, memory: ChainMemory) => NativeChain;
  chainNeeds(config: ChainConfig, width: number): ChainNeeds;
  readonly Flood: new (options: FloodOptions) => NativeFlood;
  /** Bytes of memory that the floods of a batch take, without the rows that they leave. */
  floodBytes(totals: FloodTotals, rules: FloodRules): number;
  touching(a: Int32Array, b: Int32Array): Int32Array;
  supportedTargets(): string[];
  pendingJobs(): number;
}

/** Compiled to dist/native, so the addon's build folder is two up. */
export const addon = load('../../native/build/Release/somaflow.node') as Addon;

/**
 * How many native jobs have not settled.
 *
 * @example const busy = runningJobs() > 0;
 */
export function runningJobs(): number {
  return addon.pendingJobs();
}
