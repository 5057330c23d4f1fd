/** Chains and engines as recipes: drawn, printed in a line, and made into what a run takes. */
import fc from 'fast-check';
import { LEAST_SPARSE_BYTES } from '../../core/chainPlan.js';
import { supportedTargets } from '../../core/target.js';
import { Budget, type CellsOptions, FIXED_IMAGES, type Target, type Zyx } from '../../index.js';
import { type ImageRecipes, imageRecipes, imageStepsFor } from './imageRecipes.js';
import { type Chain, METHODS, type Method } from './naive.js';
import { type Background, type ImageSteps, imagesOf } from './naiveImages.js';
import type { UserMeasures } from './userMeasures.js';
import { type Drawn, drawVolume, type VolumeRecipe } from './volumes.js';

export interface ChainRecipe extends ImageRecipes {
  readonly removeBackground: Background | null;
  readonly window: Zyx;
  readonly plateaus?: 'first' | 'all';
  /** Thresholds as places among the values of the image that the step sees: 0 the least, 1 the greatest; null none. */
  readonly seedsAbove: number | null;
  readonly maskAbove: number | null;
  /** Added to both, so that equal, between and beyond the values all occur; of floats a part of the way to the next value. */
  readonly offset: number;
  /** hMax as a place too, above the least value; and how far is looked. Left out, maxima need not stand out. */
  readonly standsOut?: { readonly place: number; readonly reach: Zyx } | null;
  readonly method?: Method;
  /** The radius of the spheres that are measured instead of shapes; null or left out, shapes are. */
  readonly spheres?: number | null;
  /** Of names that the volume has no channel of, nothing is measured. */
  readonly measure: readonly string[];
  /** What users bring: a step, and measures of what else than of such names. */
  readonly smooth?: ImageSteps['smooth'];
  readonly near?: UserMeasures['near'];
  readonly own?: UserMeasures['own'];
}

/** Names under which a volume may have channels. */
export const channelNames = ['nuclei', 'axons'] as const;

/** Background, maxima, shapes and intensities with all their options, and names of channels that a volume may have. */
export function chainRecipes(): fc.Arbitrary<ChainRecipe> {
  const extent = fc.integer({ min: 1, max: 12 });
  const reach = fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 3 }) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 6 }) },
  );
  const place = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(0, 0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1) },
    { weight: 1, arbitrary: fc.constant(null) },
  );
  const element = fc.record({
    size: fc.record({ y: extent, x: extent }),
    form: fc.constantFrom('disk' as const, 'rectangle' as const),
    opening: fc.constantFrom('symmetric' as const, 'clearmap' as const),
  });
  return fc.record({
    removeBackground: fc.option(element, { freq: 3 }),
    window: fc.record({ z: reach, y: reach, x: reach }),
    plateaus: fc.constantFrom('first' as const, 'all' as const),
    seedsAbove: place,
    maskAbove: place,
    // The smallest ones lie between a float and its neighbour, so that a threshold rounded to a float would be another.
    offset: fc.constantFrom(0, -0.5, -1, 0.5, -(2 ** -30), 2 ** -30),
    method: fc.constantFrom(...METHODS),
    measure: fc.shuffledSubarray([...FIXED_IMAGES, ...channelNames, 'smooth'], { minLength: 1 }),
  });
}

/** Chains of any steps that SPEC.md has, in their order. */
export function anyChainRecipes(): fc.Arbitrary<ChainRecipe> {
  const reach = fc.integer({ min: 0, max: 5 });
  const standsOut = fc.record({
    place: fc.constantFrom(0, 0, 0.05, 0.1, 0.2, 0.5, 1),
    reach: fc.record({ z: reach, y: reach, x: reach }),
  });
  const small = fc.record({ z: fc.nat(1), y: fc.nat(1), x: fc.nat(1) });
  const smooth = fc.record({
    halo: small,
    dtype: fc.constantFrom('uint8' as const, 'uint16' as const, 'float32' as const),
    behind: fc.constantFrom(...FIXED_IMAGES),
  });
  const of = fc.constantFrom(...FIXED_IMAGES, ...channelNames, 'smooth');
  const extent = fc.integer({ min: 1, max: 5 });
  const near = fc.record({ of, window: fc.record({ z: extent, y: extent, x: extent }) });
  return fc
    .tuple(
      chainRecipes(),
      imageRecipes(),
      fc.record({
        standsOut: fc.option(standsOut, { freq: 2 }),
        smooth: fc.option(smooth, { freq: 4 }),
        near: fc.option(near, { freq: 2 }),
        own: fc.option(fc.record({ of }), { freq: 2 }),
        spheres: fc.oneof(fc.constant(null), fc.constantFrom(0, 1, 1.5, 2, 2.5, 3, 3.7)),
      }),
    )
    .map(([chain, images, rest]) => ({ ...chain, ...images, ...rest }));
}

/** The chain of a recipe, its thresholds set by the values of the volume. */
export function chainFor(recipe: ChainRecipe, { data, size, also = {} }: Drawn): Chain {
  const { smooth, near, own } = recipe;
  const steps = { ...imageStepsFor(recipe, size), ...(smooth ? { smooth } : {}) };
  const { searched: image } = imagesOf({ data, size }, steps);
  const values = [...new Set(image)].sort((a, b) => a - b);
  const at = (place: number) => Math.round(place * (values.length - 1));
  const threshold = (place: number | null) => {
    if (place === null) return null;
    const value = values[at(place)] as number;
    // The gaps between floats are of any size, and half way between two of them there may be no third.
    const next = values[at(place) + Math.sign(recipe.offset)] ?? value + Math.sign(recipe.offset);
    return value + recipe.offset * (image instanceof Float32Array ? Math.abs(next - value) : 1);
  };
  const { standsOut, spheres = null } = recipe;
  const height = (place: number) => (values[at(place)] as number) - (values[0] as number);
  const known = [...FIXED_IMAGES, ...Object.keys(also), ...(smooth ? ['smooth'] : [])];
  const measure = recipe.measure.filter((name) => known.includes(name));
  const ofKnown = <Measured extends { readonly of: string }>(one: Measured) =>
    known.includes(one.of) ? one : { ...one, of: 'source' };
  return {
    ...steps,
    maxima: {
      size: recipe.window,
      threshold: threshold(recipe.seedsAbove),
      plateaus: recipe.plateaus ?? 'first',
      ...(standsOut ? { hMax: height(standsOut.place), reach: standsOut.reach } : {}),
    },
    shape: spheres === null ? { threshold: threshold(recipe.maskAbove) } : null,
    method: recipe.method ?? 'max',
    ...(spheres === null ? {} : { radius: spheres }),
    measure: measure.length > 0 ? measure : ['source'],
    ...(near ? { near: ofKnown(near) } : {}),
    ...(own && spheres === null ? { own: ofKnown(own) } : {}),
  };
}

/** Channels are painted as volumes are, in the extent of the volume that they belong to. */
export type ChannelRecipes = Readonly<Record<string, Omit<VolumeRecipe, 'size'>>>;

/** A drawn volume and chain, ready to run. */
export function caseOf(
  volume: VolumeRecipe,
  chain: ChainRecipe,
  channels: ChannelRecipes = {},
): { drawn: Required<Drawn>; chain: Chain } {
  const paint = (recipe: Omit<VolumeRecipe, 'size'>) => drawVolume({ ...recipe, size: volume.size }).data;
  const also = Object.fromEntries(Object.entries(channels).map(([name, recipe]) => [name, paint(recipe)]));
  const drawn = { ...drawVolume(volume), also };
  return { drawn, chain: chainFor(chain, drawn) };
}

export interface EngineRecipe {
  readonly threads: number;
  readonly target: Target;
  /** Bytes for sparse data, small enough to spill; null leaves memory to its default. */
  readonly sparseBytes: number | null;
  /** Turns of the event loop that reads take, again and again. */
  readonly delays: readonly number[];
}

/** Targets that this machine can run. */
export const targets: readonly Target[] = supportedTargets();

/** Image memory that is enough for the small volumes here, whatever the chain. */
export const AMPLE_BYTES = 64 * 2 ** 20;

export function engineRecipes(): fc.Arbitrary<EngineRecipe> {
  return fc.record({
    threads: fc.integer({ min: 1, max: 8 }),
    target: fc.constantFrom(...targets),
    sparseBytes: fc.option(fc.constantFrom(LEAST_SPARSE_BYTES, 20_000, 65_536), { freq: 2 }),
    delays: fc.array(fc.nat(6), { maxLength: 8 }),
  });
}

/** The options of a run; every call makes a budget of its own. */
export function optionsFor({ threads, target, sparseBytes }: EngineRecipe): CellsOptions & { memory?: Budget } {
  const memory = sparseBytes === null ? undefined : new Budget({ imageBytes: AMPLE_BYTES, sparseBytes });
  return { threads, target, ...(memory === undefined ? {} : { memory }) };
}

/** The delay of the nth read. */
export function delayOf({ delays }: EngineRecipe): (read: number) => number {
  return (read) => (delays.length === 0 ? 0 : (delays[read % delays.length] as number));
}
