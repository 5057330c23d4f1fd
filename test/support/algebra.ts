/** What properties of the operators' algebra share: how they are run, and volumes whose arithmetic is exact. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { runs } from './random.js';
import { type Tally, tally } from './tally.js';
import type { ValueKind } from './values.js';
import { type Drawn, type VolumeRecipe, volumeRecipes } from './volumes.js';

/** Differences and sums of these are exact, in every type. */
const EXACT: readonly ValueKind[] = ['bytes', 'words', 'steps'];
export const exactVolumes = (most = 20): fc.Arbitrary<VolumeRecipe> =>
  fc.tuple(volumeRecipes({ most }), fc.constantFrom(...EXACT)).map(([recipe, values]) => ({ ...recipe, values }));

/** The value at a part of the way from the least to the greatest. */
export function valueAt({ data }: Drawn, part: number): number {
  const values = [...new Set(data)].sort((a, b) => a - b);
  return values[Math.floor(part * (values.length - 1))] as number;
}

/** Runs a property, and says which of the things wanted it never reached. */
export async function holds<Case>(
  cases: fc.Arbitrary<Case>,
  count: number,
  wanted: readonly string[],
  property: (drawn: Case, seen: Tally['seen']) => Promise<void>,
): Promise<void> {
  const reached = tally();
  await fc.assert(
    fc.asyncProperty(cases, (drawn) => property(drawn, reached.seen)),
    runs(count),
  );
  assert.deepEqual(reached.missing(wanted), []);
}

export const DTYPES = ['uint8', 'uint16', 'float32'];
