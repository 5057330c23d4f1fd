/** Chains with steps of the user's own: drawn, run, and their images as plain code makes them. */
import fc from 'fast-check';
import type { Zyx } from '../../core/geometry.js';
import {
  type Dtype,
  type FixedImage,
  type ImageSink,
  intensity,
  maxima,
  removeBackground,
  type Step,
  save,
  shape,
  step,
  steps,
  type Voxels,
} from '../../index.js';
import { type Background, background } from './naiveImages.js';
import { weighed } from './naiveStep.js';
import { weigh, weighLater } from './userFunctions.js';
import { dtypeOf } from './values.js';

declare module '../../core/block.js' {
  interface Results {
    readonly smooth: 'voxels';
    readonly sharp: 'voxels';
    readonly nuclei: 'voxels';
  }
}

export const MODULE = new URL('./userFunctions.js', import.meta.url);

/** The ways in which a function can run; all are the same function. */
export const ways = {
  'at once': { run: weigh },
  later: { run: weighLater },
  'in threads': { module: MODULE },
  'in threads, later': { module: MODULE, export: 'weighLater' },
} as const;
type Way = keyof typeof ways;

export interface UserStepRecipe {
  readonly halo: Zyx;
  /** Null keeps the input's. */
  readonly dtype: Dtype | null;
  /** Which of the images that are there are given too. */
  readonly with: readonly ('source' | 'nuclei' | 'smooth')[];
  readonly way: Way;
}

export interface UserChainRecipe {
  readonly opening: Background | null;
  /** How many of the user's steps come before the opening. */
  readonly before: number;
  readonly first: UserStepRecipe;
  readonly second: UserStepRecipe | null;
}

function stepRecipes(images: readonly ('source' | 'nuclei' | 'smooth')[]): fc.Arbitrary<UserStepRecipe> {
  return fc.record({
    halo: fc.record({ z: fc.nat(2), y: fc.nat(2), x: fc.nat(2) }),
    dtype: fc.constantFrom(null, 'uint8', 'uint16', 'float32'),
    with: fc.oneof(fc.constant([]), fc.subarray([...images])),
    way: fc.constantFrom(...(Object.keys(ways) as Way[])),
  });
}

export const userChains: fc.Arbitrary<UserChainRecipe> = fc.record({
  opening: fc.option(
    fc.record({ size: fc.record({ y: fc.integer({ min: 1, max: 6 }), x: fc.integer({ min: 1, max: 6 }) }) }),
    { freq: 3 },
  ),
  before: fc.nat(2),
  first: stepRecipes(['source', 'nuclei']),
  second: fc.option(stepRecipes(['source', 'nuclei', 'smooth']), { freq: 3 }),
});

export type UserImage = 'background' | 'smooth' | 'sharp';

/** An image that a chain makes, and the step that makes it. */
export interface UserChainImage {
  readonly name: UserImage;
  readonly data: Voxels;
  readonly step: Step<'source', never>;
}

/** The steps of a chain in their order, and what each of them has to make of a volume. */
export function imagesOfChain(
  { opening, before, first, second }: UserChainRecipe,
  { source, nuclei, size }: { readonly source: Voxels; readonly nuclei: Voxels; readonly size: Zyx },
): UserChainImage[] {
  const made: UserChainImage[] = [];
  const known: Record<string, Voxels> = { source, nuclei };
  const add = (name: UserImage, data: Voxels, by: unknown) => {
    known[name] = data;
    made.push({ name, data, step: by as Step<'source', never> });
  };
  const last = () => made.at(-1)?.data ?? source;
  const open = () => {
    if (opening) add('background', background(last(), size, opening), removeBackground(opening));
  };
  const own = [first, ...(second ? [second] : [])];
  for (const [at, recipe] of own.entries()) {
    if (at === before) open();
    const dtype = recipe.dtype ?? dtypeOf(last());
    const options = { halo: recipe.halo, dtype };
    const images = [last(), ...recipe.with.toSorted().map((name) => known[name] as Voxels)];
    const name = at === 0 ? 'smooth' : 'sharp';
    const asked = {
      ...{ halo: recipe.halo, with: recipe.with, options, ...ways[recipe.way] },
      ...(recipe.dtype && { dtype: recipe.dtype }),
    };
    add(name, weighed(images, size, options), step(name, asked));
  }
  if (before >= own.length) open();
  return made;
}

/** What is asked of a chain's images: to be saved, and cells to be looked for in the last. */
export function pipelineOf(
  images: readonly UserChainImage[],
  sinks: Readonly<Partial<Record<UserImage, ImageSink>>>,
  threshold: number | null,
  measure: readonly string[],
): Step<'source', 'maxima' | 'shape' | 'intensity'> {
  const all = [
    ...images.flatMap(({ name, step }) => [step, ...(sinks[name] ? [save(name, sinks[name])] : [])]),
    maxima({ size: 3, threshold: null }),
    shape({ threshold }),
    intensity({ method: 'sum', measure: measure as FixedImage[] }),
  ];
  // They are drawn, so the compiler cannot know which there are.
  return (steps as (...all: readonly unknown[]) => unknown)(...all) as ReturnType<typeof pipelineOf>;
}
