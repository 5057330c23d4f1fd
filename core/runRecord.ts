import type { Region, Zyx } from './geometry.js';
import type { Target } from './target.js';
import type { Dtype, VolumeSize } from './volume.js';

/** A volume that a run worked on. */
export interface RecordedSource {
  readonly id: string;
  readonly size: VolumeSize;
  readonly dtype: Dtype;
  /** Edge lengths of a voxel in µm, where the source knows them. */
  readonly voxelSizeUm?: Zyx;
  /** Extent of the cores. */
  readonly coreSize: Zyx;
  /** What cores tile, where that is not the whole volume. */
  readonly region?: Region;
  /** The volume outside which nothing counts. */
  readonly mask?: string;
}

/** What a run was asked, of what and with what, and what came of it: written beside every table. */
export interface RunRecord {
  /** Versions of somaflow and of Node. */
  readonly somaflow: string;
  readonly node: string;
  readonly sources: readonly RecordedSource[];
  /** The options of each step, by its name, defaults filled in. */
  readonly parameters: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly branch?: string;
  readonly target: Target;
  readonly threads: number;
  readonly memoryBytes: number;
  /** When the run began, in ISO 8601, and how long it has taken. */
  readonly started: string;
  readonly seconds: number;
  readonly counts: {
    readonly blocks: number;
    readonly voxels: number;
    readonly bytesRead: number;
    /** Cells of this branch, before any filter. */
    readonly cells: number;
    /** Components joined across cores. */
    readonly seams: number;
    readonly spilledBytes: number;
  };
}
