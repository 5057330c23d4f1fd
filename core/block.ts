import type { Observable } from 'rxjs';
import type { Halo, Region, Zyx } from './geometry.js';
import type { UserMeasure } from './userMeasure.js';
import type { UserStep } from './userStep.js';
import type { Dtype, Volume, VolumeSize, Voxels } from './volume.js';

/** What a step can leave on a block. A new step adds a line; a user's own adds one by declaration merging. */
export interface Results {
  readonly source: 'voxels';
  readonly illumination: 'voxels';
  readonly background: 'voxels';
  readonly equalized: 'voxels';
  readonly dog: 'voxels';
  readonly maxima: 'points';
  readonly shape: 'components';
  readonly intensity: 'columns';
}
export type Result = keyof Results;

/** The results that are images. */
export type ImageResult = { [R in Result]: Results[R] extends 'voxels' ? R : never }[Result];

/**
 * The images that a name always stands for, in the order of the chain: a step that was skipped means its input, the
 * nearest one before it that was made.
 */
export const FIXED_IMAGES = ['source', 'illumination', 'background', 'equalized', 'dog'] as const;
export type FixedImage = (typeof FIXED_IMAGES)[number];

/** The images that a user brings by name: co-registered channels, and results of steps of their own. */
export type NamedImage = Exclude<ImageResult, FixedImage>;

/** A step as data: what it is called, what it was asked, what it adds, and what it reads around each voxel. */
export interface StepPlan {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly adds: readonly Result[];
  readonly needs: readonly Result[];
  readonly halo: Halo;
  /** Of a step that makes an image, the type of its voxels, where that is not its input's. */
  readonly dtype?: Dtype;
  /** What runs it, where that is a user's own function. */
  readonly external?: UserStep;
  /** What measures cells, where that is a user's own function. */
  readonly measured?: UserMeasure;
  /** The steps of each branch, by its name, of the one step that has them. */
  readonly branches?: Readonly<Record<string, readonly StepPlan[]>>;
}

/** How the cores of a stream tile their volume, or a region of it. */
export interface Layout {
  /** What the cores tile: `start` is inside, `stop` is not; z is null while the volume's depth is unknown. */
  readonly start: Zyx;
  readonly stop: VolumeSize;
  /** Where the grid of cores begins: at `start`, or before it where cores follow the source's chunks. */
  readonly origin: Zyx;
  /** The extent of every core but those at the edges of what is tiled, which may be smaller. */
  readonly coreSize: Zyx;
  /** Cores along each axis; z is null while the volume's depth is unknown. */
  readonly counts: { readonly z: number | null; readonly y: number; readonly x: number };
  /** Voxels that neighbouring blocks read in common at the least; what steps need comes first. */
  readonly overlap: Zyx;
}

/** A core region of a volume and the steps asked of it so far. It holds no voxels. */
export interface Block<Has extends Result> {
  readonly volume: Volume;
  /** Co-registered volumes, by the names under which they can be measured. */
  readonly also: Readonly<Record<string, Volume>>;
  /** Voxels whose place in it is 0 count as outside the mask of cells; it may be coarser than the volume. */
  readonly mask?: Volume;
  /** Its place among the cores, in z, y, x order. */
  readonly index: number;
  /** What it answers for; what it reads is this grown by the halo of its steps. */
  readonly core: Region;
  readonly layout: Layout;
  readonly plans: readonly StepPlan[];
  readonly has: ReadonlySet<Has>;
  /** The same block with one step more; what operators are made of. */
  with(plan: StepPlan): Block<Result>;
  /**
   * Runs the chain up to an image step and returns its result on the core: a fresh array that the caller owns.
   *
   * @throws {OptionError} if the block has no such image
   * @throws {BlockError} if the source or a step fails
   */
  voxels(step: Has & ImageResult, options?: { readonly signal?: AbortSignal }): Promise<Voxels>;
}

/** A block whatever it has. */
export type AnyBlock = Block<Result>;

declare const missing: unique symbol;
/** The compiler's message when a step comes too early. */
export interface MissingStep<R extends string> {
  readonly [missing]: `a step that makes '${R}' has to come first`;
}
export type Needs<Has, Need> = [Need] extends [Has] ? unknown : MissingStep<Exclude<Need, Has> & string>;

/** An RxJS operator that adds one step, or several, to every block, and carries their plans for whoever composes it. */
export interface Step<Need extends Result, Add extends Result> {
  <Has extends Result>(blocks: Observable<Block<Has>> & Needs<Has, Need>): Observable<Block<Has | Add>>;
  readonly plans: readonly StepPlan[];
  /** For the compiler only: what has to be there, and what is there afterwards. */
  readonly types?: { readonly need: Need; readonly add: Add };
}
