import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { wantedOfChains } from './support/chainTally.js';
import { detect } from './support/detect.js';
import { anyChainCases, type LayoutCase, layoutCases, problemsOf } from './support/layoutCases.js';
import { coreFor, coreSizes } from './support/layouts.js';
import { type Chain, METHODS } from './support/naive.js';
import { runs } from './support/random.js';
import { caseOf, chainRecipes, delayOf, engineRecipes, optionsFor, targets } from './support/recipes.js';
import { RecordingVolume } from './support/recordingVolume.js';
import { tally } from './support/tally.js';
import { valueKinds } from './support/values.js';
import { inMemory, volumeKinds, volumeRecipes } from './support/volumes.js';

const dtypes = ['uint8', 'uint16', 'float32'];

/** Every pair of the two, as one text. */
function pairs(left: readonly string[], between: string, right: readonly string[]): string[] {
  return left.flatMap((a) => right.map((b) => `${a}${between}${b}`));
}

test.serial('cells are the same for every layout, thread count, budget and CPU target', async (t) => {
  const reached = tally();
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(layoutCases, async (drawnCase) => {
        assert.deepEqual(await problemsOf(drawnCase, reached.seen), {});
      }),
      runs(600),
    ),
  );
  t.deepEqual(
    reached.missing([
      'across 2 cores',
      'across 3 cores',
      'across 8 cores',
      'spilled',
      'many threads',
      'reads ending out of order',
      'blocks in any order',
      'plane by plane',
      'a skipped step measured',
      'many cells',
      'no cells',
      'cells in many batches',
      'more overlap than steps need',
      'two channels measured',
      'a mask that cuts components',
      'a coarser mask that cuts components',
      'a mask that leaves out whole blocks',
      'an empty mask',
      'a sum across cores that depends on its order',
      'a region that cuts components',
      ...volumeKinds,
      ...valueKinds,
      ...pairs(dtypes, ' on ', targets),
      ...pairs(['symmetric', 'clearmap'], ', ', pairs(['disk', 'rectangle'], ', ', ['odd', 'even'])).map(
        (which) => `opening: ${which}`,
      ),
      ...pairs(METHODS, ' of ', dtypes).map((which) => `method: ${which}`),
      'plateaus: first',
      'plateaus: all',
      ...pairs(dtypes, ' measured in ', dtypes),
    ]),
    [],
  );
});

test.serial(
  'cells and saved images of any chain of steps are the same for every layout, budget and target',
  async (t) => {
    const reached = tally();
    await t.notThrowsAsync(
      fc.assert(
        fc.asyncProperty(anyChainCases, async (drawnCase) => {
          assert.deepEqual(await problemsOf(drawnCase, reached.seen), {});
        }),
        runs(500),
      ),
    );
    t.deepEqual(
      reached.missing([
        ...wantedOfChains,
        'across 2 cores',
        'spilled',
        'blocks in any order',
        'plane by plane',
        ...pairs(dtypes, ' on ', targets),
      ]),
      [],
    );
  },
);

test.serial('floats of a component that crosses cores are summed in z, y, x order, not core by core', async (t) => {
  // Beside the greatest value the small ones are lost in a float64, so it matters where in the sum the two great ones meet.
  const great = 2 ** 60;
  const data = Float32Array.from([great, 64, -great, 64, 64, 64, 64, 64]);
  const drawn = { data, size: { z: 1, y: 2, x: 4 } };
  const chain: Chain = {
    removeBackground: null,
    maxima: { size: { z: 1, y: 5, x: 9 }, threshold: null },
    shape: { threshold: null },
    method: 'sum',
    measure: ['source'],
  };
  for (const x of [4, 3, 2, 1]) {
    const { rows } = await detect(drawn, chain, { core: { z: 1, y: 2, x } });
    t.deepEqual(rows, [[0, 0, 0, 8, 320]], `cores of ${x} columns`);
  }
});

/** Cases that were drawn once and failed. */
const kept: Record<string, LayoutCase> = {
  'voxels of a joined cell measured in parts, while blocks go on': {
    volume: { kind: 'noise', size: { z: 3, y: 8, x: 2 }, seed: 124577, levels: 2, values: 'sevenths' },
    chain: {
      removeBackground: null,
      dog: { size: { z: 2, y: 2, x: 3 } },
      window: { z: 1, y: 1, x: 1 },
      seedsAbove: 0,
      maskAbove: 0,
      offset: 0,
      standsOut: { place: 0, reach: { z: 1, y: 0, x: 0 } },
      own: { of: 'source' },
      measure: ['source'],
    },
    saved: ['shape'],
    core: { z: 1, y: 1, x: 1 },
    engine: { threads: 1, target: 'portable', sparseBytes: 16_384, delays: [0] },
    arrival: null,
  },
  'noise of three levels, little sparse memory': {
    volume: { kind: 'noise', size: { z: 4, y: 8, x: 8 }, seed: 0, levels: 2 },
    chain: {
      removeBackground: null,
      window: { z: 2, y: 1, x: 2 },
      seedsAbove: 0,
      maskAbove: 0,
      offset: 0,
      measure: ['source'],
    },
    core: { z: 3, y: 8, x: 2 },
    engine: { threads: 1, target: 'portable', sparseBytes: 20_000, delays: [] },
    arrival: null,
  },
  'an even window and cores of one plane, blocks in any order': {
    volume: { kind: 'noise', size: { z: 8, y: 9, x: 8 }, seed: 0, levels: 1 },
    chain: {
      removeBackground: { size: { y: 2, x: 1 } },
      window: { z: 1, y: 4, x: 1 },
      seedsAbove: 0,
      maskAbove: 0,
      offset: 0,
      measure: ['dog'],
    },
    core: { z: 1, y: 4, x: 1 },
    engine: { threads: 1, target: 'portable', sparseBytes: null, delays: [] },
    arrival: 0,
  },
};

for (const [what, failed] of Object.entries(kept))
  test.serial(`cells are the same for a layout once drawn: ${what}`, async (t) => {
    t.deepEqual(await problemsOf(failed), {});
  });

for (const kind of volumeKinds)
  test.serial(`cells are the same where every voxel is a block of its own: ${kind}`, async (t) => {
    for (const arrival of [null, 1])
      t.deepEqual(
        await problemsOf({
          volume: { kind, size: { z: 5, y: 6, x: 7 }, seed: 40, levels: 2 },
          chain: {
            removeBackground: null,
            window: { z: 3, y: 3, x: 3 },
            seedsAbove: 0,
            maskAbove: 0.3,
            offset: -0.5,
            measure: ['dog', 'source'],
          },
          core: { z: 1, y: 1, x: 1 },
          engine: { threads: 8, target: targets.at(-1) ?? 'portable', sparseBytes: 16_384, delays: [3, 0, 5, 1] },
          arrival,
        }),
        {},
      );
  });

test.serial(
  'a layout gives the same rows in the same order for every thread count, budget, target and order of completion',
  async (t) => {
    const reached = tally();
    const kinds = ['blobs', 'beads', 'comb', 'serpentine', 'boxes', 'noise'] as const;
    await t.notThrowsAsync(
      fc.assert(
        fc.asyncProperty(
          volumeRecipes({ kinds, least: 4, most: 18 }),
          chainRecipes(),
          coreSizes(8),
          fc.array(engineRecipes(), { minLength: 2, maxLength: 3 }),
          async (recipe, chainRecipe, coreSize, engines) => {
            const { drawn, chain } = caseOf(recipe, chainRecipe);
            const core = coreFor(coreSize, drawn.size);
            const found: unknown[] = [];
            for (const engine of engines) {
              const volume = new RecordingVolume(inMemory(drawn), { delay: delayOf(engine) });
              const { rows, batches, progress } = await detect(volume, chain, { core, options: optionsFor(engine) });
              if (progress.spilledBytes > 0) reached.seen('spilled');
              if (batches.some(({ open }) => open.length > 0)) reached.seen('open components');
              if (batches.some(({ cells }) => cells.count > 0)) reached.seen('cells');
              found.push({ rows, finalTo: batches.at(-1)?.finalTo });
            }
            for (const other of found.slice(1)) assert.deepEqual(other, found[0]);
          },
        ),
        runs(60),
      ),
    );
    t.deepEqual(reached.missing(['spilled', 'open components', 'cells']), []);
  },
);
