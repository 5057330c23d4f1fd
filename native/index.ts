/** The native addon, typed: the only file that loads it. */
import { createRequire } from 'node:module';

const load = createRequire(import.meta.url);

/** A box as native code takes it: bare pairs of first and past-the-end coordinates. */
export interface NativeBox {
  readonly z: readonly [number, number];
  readonly y: readonly [number, number];
  readonly x: readonly [number, number];
}

/** What a chain is asked to do on one block; see native/chain/config.h. */
export interface ChainConfig {
  readonly target: string;
  /** Of the volume's planes. */
  readonly height: number;
  readonly width: number;
  readonly core: NativeBox;
  readonly read: NativeBox;
  /** Whether another core lies before and behind this one along z, y and x. */
  readonly innerLow: readonly [boolean, boolean, boolean];
  readonly innerHigh: readonly [boolean, boolean, boolean];
  /** Size of the opening's disk; 0 leaves the step out. */
  readonly backgroundY: number;
  readonly backgroundX: number;
  readonly maxima: boolean;
  readonly windowZ: number;
  readonly windowY: number;
  readonly windowX: number;
  readonly seedThreshold: number;
  readonly shape: boolean;
  readonly maskThreshold: number;
  /** Whether the source is measured beside the image that is divided into cells. */
  readonly sourceChannel: boolean;
  readonly batchPlanes: number;
  readonly heldLimitBytes: number;
  readonly fragmentLimitBytes: number;
  readonly floodLimitVoxels: number;
}

/** What a push leaves; see native/chain/chain.h. */
export interface ChainOutput {
  /** x, y, z, size, then the greatest value of the image and, if kept, of the source; without shape only x, y, z. */
  readonly rows: Float64Array;
  readonly fragments: Uint8Array;
  /** `fragmentFields` numbers a fragment; see `FragmentField` in native/chain/fragments.h. */
  readonly index: Float64Array;
  /** Pairs of fragments that are one component. */
  readonly links: Int32Array;
  /** For the faces low z, high z, low y, high y, low x, high x: (u, v, length, fragment) of each run on it. */
  readonly faces: readonly Int32Array[];
}
export const fragmentFields = 12;

export interface NativeChain {
  push(planes: number, last: boolean, innerHighZ: boolean, width: number): Promise<ChainOutput>;
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
  readonly channels: number;
}

export interface NativeFlood {
  /** Takes a fragment of the component under way. */
  add(fragment: Uint8Array): void;
  /** Says that the component under way has all its fragments. */
  close(): void;
  /** Divides the components; gives the cells of all, and how many each has. */
  run(): Promise<{ readonly rows: Float64Array; readonly counts: Int32Array }>;
  stop(): void;
}

export interface Addon {
  readonly Chain: new (
    config: ChainConfig,
    source: Uint16Array,
    workspace: Uint8Array,
    saved: Uint16Array | null,
  ) => NativeChain;
  chainNeeds(
    config: ChainConfig,
    width: number,
  ): {
    readonly sourceBytes: number;
    readonly sourcePlanes: number;
    readonly workspaceBytes: number;
    readonly sparseBytes: number;
  };
  readonly Flood: new (options: FloodTotals & { readonly inFile: boolean; readonly folder: string }) => NativeFlood;
  floodBytes(totals: FloodTotals): number;
  touching(a: Int32Array, b: Int32Array): Int32Array;
  supportedTargets(): string[];
  pendingJobs(): number;
}

/** Compiled to dist/native, so the addon's build folder is two up. */
export const addon = load('../../native/build/Release/somaflow.node') as Addon;

/** Native jobs that have not settled. */
export function runningJobs(): number {
  return addon.pendingJobs();
}
