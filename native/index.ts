/** The native addon, typed: the only file that loads it. */
import { createRequire } from 'node:module';

const load = createRequire(import.meta.url);

/** The type of a voxel. */
export type Dtype = 'uint8' | 'uint16' | 'float32';

/** A box as native code takes it: bare pairs of first and past-the-end coordinates. */
export interface NativeBox {
  readonly z: readonly [number, number];
  readonly y: readonly [number, number];
  readonly x: readonly [number, number];
}

/** An image of the chain: an input, or what a step makes of an earlier one. */
export interface NativeImage {
  readonly dtype: Dtype;
  /** The planes, rows and columns that are there. */
  readonly z: readonly [number, number];
  readonly y: readonly [number, number];
  readonly x: readonly [number, number];
  /** The image that it is made of; -1 for an input. */
  readonly from: number;
  /** What errors call what comes from outside; empty for the input that blocks are of, which they name anyhow. */
  readonly name: string;
  /** Of a made image: the planes before and behind each that it takes, and how it is made. */
  readonly planesBefore?: number;
  readonly planesAfter?: number;
  readonly step?: NativeStep;
}

/** A step that makes an image, by the name of its kernel, and what it was asked. */
export type NativeStep = NativeOpening | NativeDog | NativeIllumination | NativeEqualize | NativeExternal;

export interface NativeOpening {
  readonly kind: 'opening';
  readonly sizeY: number;
  readonly sizeX: number;
  readonly disk: boolean;
  readonly reflected: boolean;
}

/** Extents and sigmas along z, y and x. */
export interface NativeDog {
  readonly kind: 'dog';
  readonly size: readonly [number, number, number];
  readonly sigma: readonly [number, number, number];
  readonly sigma2: readonly [number, number, number];
}

/** A value a pixel of the volume's planes; see native/kernels/illumination.h. */
export interface NativeIllumination {
  readonly kind: 'illumination';
  readonly flatfield: Float64Array;
  readonly background: Float64Array | null;
  readonly scaling: number;
}

/** Extents along z, y and x; `mask` is the image whose voxels have to be other than 0 to count, -1 for none. */
export interface NativeEqualize {
  readonly kind: 'equalize';
  readonly low: number;
  readonly high: number;
  readonly maxValue: number;
  readonly nearest: boolean;
  readonly mask: number;
  readonly window: readonly [number, number, number];
  readonly spacing: readonly [number, number, number];
}

/** A step whose planes are made outside of the chain; `others` are images of which it is given the same planes as of its input. */
export interface NativeExternal {
  readonly kind: 'external';
  readonly others: readonly number[];
}

export type Method = 'max' | 'min' | 'mean' | 'sum';

/** How cells are made of a component and measured; see native/chain/channels.h. */
export interface FloodRules {
  /** Types of the image that is divided into cells, then of each image that is measured beside it. */
  readonly dtypes: readonly Dtype[];
  readonly method: Method;
  /** Whether of seeds on one plateau of equal value only the first stays. */
  readonly mergePlateaus: boolean;
  /** Numbers that each seed brings, and its cell keeps. */
  readonly seedValues: number;
  readonly centroid: boolean;
  readonly box: boolean;
  readonly flags: boolean;
  /** Where flags look for the greatest value of an integer type, an index into `dtypes`; -1: nowhere. */
  readonly saturatedChannel: number;
  /** Whether each cell's voxels are given, and of which images, indices into `dtypes`, their values. */
  readonly voxels: boolean;
  readonly voxelChannels: readonly number[];
  /** Numbers at the end of each row that stay 0, for the caller to fill. */
  readonly reserved: number;
}

/** Numbers of a run in `cellRuns`. */
export const cellRunNumbers = 5;

/** A search for cells in one image. */
export interface NativeDetector extends FloodRules {
  readonly image: number;
  /** Images that are measured beside it. */
  readonly channels: readonly number[];
  readonly windowZ: number;
  readonly windowY: number;
  readonly windowX: number;
  readonly firstOfEquals: boolean;
  /** Minus infinity is below every value. */
  readonly seedThreshold: number;
  /** Null leaves the test out that maxima stand out by more than a height. */
  readonly prominence: {
    readonly height: number;
    readonly reachZ: number;
    readonly reachY: number;
    readonly reachX: number;
  } | null;
  /** Of the spheres that are measured where there is no shape; null measures none. */
  readonly radius: number | null;
  /** Windows around maxima that are measured outside: the image, and the extent along z, y and x. */
  readonly around: readonly { readonly image: number; readonly window: readonly [number, number, number] }[];
  readonly shape: boolean;
  readonly maskThreshold: number;
}

/** What a chain is asked to do on one block; see native/chain/config.h. */
export interface ChainConfig {
  readonly target: string;
  /** Of the volume; 0 while it is not known. */
  readonly depth: number;
  /** Of its planes. */
  readonly height: number;
  readonly width: number;
  readonly core: NativeBox;
  readonly read: NativeBox;
  /** Whether another core lies before and behind this one along z, y and x. */
  readonly innerLow: readonly [boolean, boolean, boolean];
  readonly innerHigh: readonly [boolean, boolean, boolean];
  readonly images: readonly NativeImage[];
  /** The volume outside which nothing counts: its planes' extent, and the rows and columns of them that are read. */
  readonly tissue: {
    readonly dtype: Dtype;
    readonly height: number;
    readonly width: number;
    readonly y: readonly [number, number];
    readonly x: readonly [number, number];
  } | null;
  readonly detectors: readonly NativeDetector[];
  /** What is copied out, plane by plane, on the core: an image or, as a mask, a detector's maxima; the other is -1. */
  readonly saves: readonly { readonly image: number; readonly detector: number }[];
  readonly batchPlanes: number;
  readonly heldLimitBytes: number;
  readonly fragmentLimitBytes: number;
  readonly floodLimitVoxels: number;
}

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
