/** Runs the chain under test on a volume and gathers what came out of it. */
import { lastValueFrom, type Observable, toArray } from 'rxjs';
import { MOST_STEPS } from '../../core/steps.js';
import {
  type Block,
  type BlocksOptions,
  blocks,
  type CellBatch,
  type CellsOptions,
  type CellTable,
  cells,
  FIXED_IMAGES,
  type FixedImage,
  type ImageSink,
  type IntensityOptions,
  intensity,
  maxima,
  type Progress,
  type Step,
  save,
  shape,
  steps,
  type Volume,
  type Voxels,
  type Zyx,
} from '../../index.js';
import { imageStepsOf } from './imageSteps.js';
import type { Chain } from './naive.js';
import type { ImageName, ImageSteps, Images } from './naiveImages.js';
import { measureStepsOf } from './userMeasures.js';
import { type Drawn, inMemory } from './volumes.js';
import { within } from './waiting.js';

/** What a chain of the tests may save. */
export type SavedName = ImageName | 'maxima' | 'shape';

/** Where it goes. */
export type Saves = Readonly<Partial<Record<SavedName, ImageSink>>>;

/**
 * The steps of a chain. It is drawn, so the compiler cannot know which images there are, or what is measured; images are saved where
 * all have been made, labels behind the shapes.
 */
export function stepsOf(chain: Chain, saves: Saves = {}): Step<'source', 'maxima' | 'shape' | 'intensity'> {
  const { maxima: peaks, shape: mask, method = 'max', radius, measure } = chain;
  const measured = { method, measure, ...(radius === undefined ? {} : { radius }) } as IntensityOptions<FixedImage>;
  const saved = (...names: SavedName[]) =>
    Object.entries(saves).flatMap(([name, sink]) =>
      names.includes(name as SavedName) ? [save(name as SavedName, sink)] : [],
    );
  const shaped = mask === null ? [] : [shape(mask), ...saved('shape')];
  const all = [
    ...imageStepsOf(chain),
    ...saved(...FIXED_IMAGES, 'smooth'),
    maxima(peaks),
    ...saved('maxima'),
    ...shaped,
    intensity(measured),
    ...measureStepsOf(chain),
  ];
  // A composition takes so many steps at most, and may itself be one of another.
  const compose = steps as (...all: readonly unknown[]) => unknown;
  const halves = [all.slice(0, MOST_STEPS), all.slice(MOST_STEPS)].filter((half) => half.length > 0);
  return compose(...halves.map((half) => compose(...half))) as ReturnType<typeof stepsOf>;
}

/** The images that a chain makes of a whole volume, each as one block makes it. */
export async function imagesMade(drawn: Drawn, chain: ImageSteps): Promise<Partial<Images>> {
  const made: Partial<Record<ImageName, Voxels>> = {};
  const all = imageStepsOf(chain);
  if (all.length === 0) return made;
  const through = (steps as (...all: readonly unknown[]) => unknown)(...all) as Step<'source', ImageName>;
  const block = await lastValueFrom(blocks(inMemory(drawn), { size: drawn.size }).pipe(through));
  for (const name of block.has) if (name !== 'source') made[name] = await block.voxels(name);
  return made;
}

/** Adds the steps of a chain to a stream of blocks. */
export function asked(from: Observable<Block<'source'>>, chain: Chain, saves?: Saves) {
  return from.pipe(stepsOf(chain, saves));
}

export interface Found {
  readonly names: string[];
  /** Rows as they came. */
  readonly rows: number[][];
  readonly batches: CellBatch[];
  /** The last that was told of the run. */
  readonly progress: Progress;
}

export interface Run {
  readonly core?: number | Zyx;
  readonly layout?: Omit<BlocksOptions, 'size' | 'also'> & { readonly also?: Readonly<Record<string, Volume>> };
  readonly options?: CellsOptions;
  readonly saves?: Saves;
  /** Changes the stream of blocks before the steps are asked. */
  readonly arrange?: (from: Observable<Block<'source'>>) => Observable<Block<'source'>>;
}

export async function detect(
  volume: Volume | Drawn,
  chain: Chain,
  { core, layout, options, saves, arrange }: Run = {},
): Promise<Found> {
  const source = 'data' in volume ? inMemory(volume) : volume;
  const also = 'data' in volume && volume.also ? { also: channelsOf(volume) } : {};
  const asLaidOut = { ...also, ...layout, ...(core === undefined ? {} : { size: core }) };
  // Channels are drawn, so the compiler cannot know which there are.
  const described = blocks(source, asLaidOut as BlocksOptions);
  return gather((told) =>
    asked(arrange ? arrange(described) : described, chain, saves).pipe(cells({ ...options, progress: told })),
  );
}

/** The channels of a volume, each a volume in memory. */
export function channelsOf({ also = {}, size }: Drawn): Record<string, Volume> {
  return Object.fromEntries(Object.entries(also).map(([name, data]) => [name, inMemory({ data, size }, name)]));
}

/** The progress of a run that no block came to. */
const nothingYet: Progress = {
  blocks: 0,
  blocksKnown: 0,
  voxels: 0,
  bytesRead: 0,
  found: 0,
  cells: 0,
  seams: 0,
  seamsByCores: {},
  spilledBytes: 0,
  threads: 0,
  target: 'portable',
};

/** Runs a pipeline to its end. */
export async function gather(
  pipeline: (told: { next: (progress: Progress) => void }) => Observable<CellBatch>,
): Promise<Found> {
  let progress = nothingYet;
  const told = {
    next: (step: Progress) => {
      progress = step;
    },
  };
  const batches = await within(20_000, 'a run', lastValueFrom(pipeline(told).pipe(toArray())));
  return {
    names: batches[0]?.cells.names ?? [],
    rows: batches.flatMap(({ cells }) => rowsOf(cells)),
    batches,
    progress,
  };
}

export function rowsOf(table: CellTable): number[][] {
  const columns = table.names.map((name) => table.column(name) as ArrayLike<number>);
  return Array.from({ length: table.count }, (_, row) => columns.map((column) => column[row] as number));
}

export interface BranchTable {
  readonly names: string[];
  /** Rows as they came. */
  readonly rows: number[][];
  readonly batches: CellBatch[];
}

/** The tables of a run with branches, by their names. */
export function tablesOf(batches: readonly CellBatch[]): Map<string, BranchTable> {
  const tables = new Map<string, BranchTable>();
  for (const batch of batches) {
    const table = tables.get(batch.branch) ?? { names: batch.cells.names, rows: [], batches: [] };
    table.rows.push(...rowsOf(batch.cells));
    table.batches.push(batch);
    tables.set(batch.branch, table);
  }
  return tables;
}

/** Rows by z, y, x of their centers. */
export function sorted(rows: readonly number[][]): number[][] {
  const key = ([x = 0, y = 0, z = 0]: number[]) => (z * 65536 + y) * 65536 + x;
  return [...rows].sort((a, b) => key(a) - key(b));
}
