/** What native code is told of a chain: plain values. */

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
