/** Parts of an opening in which no cell can be are left out, where nothing else is asked of them: that shows nowhere. */
import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import type { Zyx } from '../core/geometry.js';
import type { Voxels } from '../index.js';
import { detect } from './support/detect.js';
import { type LayoutCase, problemsOf } from './support/layoutCases.js';
import { coreSizes } from './support/layouts.js';
import { imagesOf } from './support/naiveImages.js';
import { runs } from './support/random.js';
import { anyChainRecipes, caseOf, engineRecipes } from './support/recipes.js';
import { tally } from './support/tally.js';
import { volumeRecipes } from './support/volumes.js';

/** As native/kernels/opening_tiles.h has them. */
const TILE = { y: 32, x: 64 };

/** Thresholds above the noise, so that tiles lie below them. */
const above = fc.record({
  seeds: fc.constantFrom(0.1, 0.3, 0.5, 0.9),
  mask: fc.constantFrom(0.1, 0.3, 0.5, 0.9),
});

/** Few wide planes of a few cells on dim noise, in which an opening comes last before the search. */
const cases: fc.Arbitrary<LayoutCase> = fc.record({
  volume: volumeRecipes({ kinds: ['blobs', 'beads', 'speckle'], most: 8 }).map(({ size, ...recipe }) => ({
    ...recipe,
    values: recipe.seed % 2 === 0 ? ('words' as const) : ('bytes' as const),
    size: { z: 1 + (size.z % 3), y: 40 + size.y * 5, x: 66 + size.x * 8 },
  })),
  chain: fc.record({ any: anyChainRecipes(), above, around: fc.boolean() }).map(({ any, above, around }) => ({
    ...any,
    ...{ removeBackground: any.removeBackground ?? { size: { y: 5, x: 6 } }, equalize: null, dog: null, smooth: null },
    ...{ seedsAbove: above.seeds, maskAbove: above.mask, offset: 0 },
    // What users measure is of the opening as often as of anything else.
    ...(around && any.near ? { near: { ...any.near, of: 'background' } } : {}),
    ...(around && any.own ? { own: { of: 'background' } } : {}),
  })),
  core: coreSizes(60),
  saved: fc.oneof(
    { weight: 1, arbitrary: fc.constant([]) },
    { weight: 3, arbitrary: fc.constantFrom(['background' as const], ['maxima' as const], ['shape' as const]) },
  ),
  engine: engineRecipes(),
  arrival: fc.constant(null),
});

test.serial('cells and saved images are those of the whole opening, whatever of it is left out', async (t) => {
  const reached = tally();
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(cases, async (drawnCase) => {
        assert.deepEqual(await problemsOf(drawnCase), {});
        const { drawn, chain } = caseOf(drawnCase.volume, drawnCase.chain);
        const { images, made } = imagesOf(drawn, chain);
        const limit = Math.max(chain.shape?.threshold ?? -1, chain.maxima.threshold ?? -1);
        const from = made.background?.from as Voxels;
        // Somewhere the opening leaves what is not above the limit, and the source is not either.
        const dim = tilesOf(drawn.size).filter((at) => at.every((voxel) => (from[voxel] as number) <= limit));
        if (limit < 0 || !dim.some((at) => at.some((voxel) => (images.background[voxel] as number) > 0))) return;
        reached.seen('tiles left out', chain.shape !== null && !chain.maxima.hMax);
        reached.seen('some tiles, not all', dim.length < tilesOf(drawn.size).length);
        reached.seen('maxima that have to stand out', (chain.maxima.hMax ?? 0) > 0);
        reached.seen('spheres', chain.shape === null);
        reached.seen('a window in what is left out', chain.near?.of === 'background');
        reached.seen('voxels of it', chain.own?.of === 'background');
        for (const name of drawnCase.saved ?? []) reached.seen(`saved: ${name}`);
      }),
      runs(260),
    ),
  );
  t.deepEqual(
    reached.missing([
      ...['tiles left out', 'some tiles, not all', 'maxima that have to stand out', 'spheres'],
      ...['a window in what is left out', 'voxels of it'],
      ...['background', 'maxima', 'shape'].map((name) => `saved: ${name}`),
    ]),
    [],
  );
});

test.serial('a maximum that is joined to a greater one through a dim plane does not stand out', async (t) => {
  const size = { z: 3, y: 40, x: 70 };
  const data = new Uint16Array(size.z * size.y * size.x);
  // The greater one, what joins them, which is not above the threshold, and the lesser one.
  [500, 200, 450].forEach((value, z) => {
    data[(z * size.y + 20) * size.x + 20] = value;
  });
  const chain = {
    removeBackground: { size: { y: 10, x: 10 } },
    maxima: { size: { z: 3, y: 3, x: 3 }, threshold: 0, reach: { z: 4, y: 4, x: 4 } },
    shape: { threshold: 300 },
    measure: ['background'],
  };
  const found = async (hMax: number) =>
    (await detect({ data, size }, { ...chain, maxima: { ...chain.maxima, hMax } })).rows;
  t.deepEqual(await found(200), [
    [20, 20, 0, 1, 500],
    [20, 20, 2, 1, 450],
  ]);
  t.deepEqual(await found(300), [[20, 20, 0, 1, 500]]);
});

/** The voxels of each tile of each plane. */
function tilesOf({ z: depth, y: height, x: width }: Zyx): number[][] {
  const tiles = new Map<string, number[]>();
  for (let at = 0; at < depth * height * width; at++) {
    const [x, y, z] = [at % width, Math.floor(at / width) % height, Math.floor(at / width / height)];
    const key = [z, Math.floor(y / TILE.y), Math.floor(x / TILE.x)].join(' ');
    const tile = tiles.get(key) ?? [];
    tile.push(at);
    tiles.set(key, tile);
  }
  return [...tiles.values()];
}
