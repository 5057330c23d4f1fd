/** How volumes are cut where the size of cores is not said, but their axes and bounds are. */
import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { AXES, extent, type Region } from '../core/geometry.js';
import { coreAt, type LayoutOptions, layoutOf } from '../core/layout.js';
import type { Volume, Zyx } from '../index.js';
import { detect, sorted } from './support/detect.js';
import { sometimes } from './support/layoutCases.js';
import { drawRegion, keptBy, regionRecipes } from './support/limits.js';
import { naive } from './support/naive.js';
import { runs } from './support/random.js';
import { caseOf, chainRecipes, delayOf, engineRecipes, optionsFor } from './support/recipes.js';
import { RecordingVolume } from './support/recordingVolume.js';
import { tally } from './support/tally.js';
import { inMemory, volumeRecipes } from './support/volumes.js';

interface Cuts extends Pick<LayoutOptions, 'axes'> {
  readonly sizeMin?: number;
  readonly sizeMax?: number;
}

/** Axes and bounds; of two bounds the lower one is the least. */
function cuts(most: number): fc.Arbitrary<Cuts> {
  const bound = fc.option(fc.integer({ min: 2, max: most }));
  return fc.tuple(fc.option(fc.subarray([...AXES]), { freq: 3 }), bound, bound).map(([axes, a, b]) => {
    const both = a !== null && b !== null;
    const [sizeMin, sizeMax] = both ? [Math.min(a, b), Math.max(a, b)] : [a, b];
    return {
      ...(axes && { axes }),
      ...(sizeMin !== null && { sizeMin }),
      ...(sizeMax !== null && { sizeMax }),
    };
  });
}

/** What is known of a volume before it is read. */
const described: fc.Arbitrary<Volume> = fc
  .record({
    size: fc.record({
      z: fc.integer({ min: 1, max: 6000 }),
      y: fc.integer({ min: 1, max: 20_000 }),
      x: fc.integer({ min: 1, max: 20_000 }),
    }),
    chunk: fc.option(fc.integer({ min: 1, max: 512 })),
    keepsPlanes: fc.option(fc.integer({ min: 1, max: 100 })),
  })
  .map(({ size, chunk, keepsPlanes }) => ({
    id: 'described',
    size,
    dtype: 'uint16',
    ...(chunk && { chunks: { z: chunk, y: chunk, x: chunk } }),
    ...(keepsPlanes && { keepsPlanes }),
    read: () => Promise.reject(new Error('nothing asked for voxels')),
  }));

test('cores are whole along axes that are not cut, and else as by default, within the bounds', (t) => {
  const reached = tally();
  t.notThrows(() =>
    fc.assert(
      fc.property(described, cuts(3000), sometimes(regionRecipes()), (volume, options, regionRecipe) => {
        const size = volume.size as Zyx;
        const region: Region = regionRecipe
          ? drawRegion(regionRecipe, size)
          : { start: { z: 0, y: 0, x: 0 }, stop: size };
        const tiled = extent(region);
        const { axes = AXES, sizeMin = 1, sizeMax = Number.POSITIVE_INFINITY } = options;
        const layout = layoutOf(volume, { ...options, region });
        const { coreSize } = layout;
        const first = coreAt(layout, 0);
        const byDefault = layoutOf(volume, { axes, region }).coreSize;
        for (const a of AXES) {
          assert.ok(first.start[a] === region.start[a] && first.stop[a] > first.start[a], `empty along ${a}`);
          if (!axes.includes(a)) {
            assert.equal(coreSize[a], tiled[a], `whole along ${a}`);
            continue;
          }
          assert.ok(coreSize[a] <= sizeMax && coreSize[a] >= Math.min(sizeMin, tiled[a]), `within bounds along ${a}`);
          const stays = byDefault[a] >= sizeMin && byDefault[a] <= sizeMax;
          // Cores of a region may begin amid a chunk.
          if (stays && !regionRecipe) assert.equal(coreSize[a], byDefault[a], `by default along ${a}`);
          reached.seen('as by default', stays);
          reached.seen('smaller than by default', coreSize[a] < byDefault[a]);
          reached.seen('larger than by default', coreSize[a] > byDefault[a]);
        }
        reached.seen(`cut along ${axes.join(', ')}`);
      }),
      runs(600),
    ),
  );
  const cutAlong = ['', 'z', 'y', 'x', 'z, y', 'z, x', 'y, x', 'z, y, x'].map((axes) => `cut along ${axes}`);
  const sizes = ['as by default', 'smaller than by default', 'larger than by default'];
  t.deepEqual(reached.missing([...cutAlong, ...sizes]), []);
});

test('cells are the same along whatever axes and within whatever bounds a volume is cut', async (t) => {
  const reached = tally();
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(
        volumeRecipes({ least: 2, most: 18 }),
        chainRecipes(),
        cuts(8),
        fc.option(fc.integer({ min: 1, max: 5 })),
        sometimes(regionRecipes()),
        engineRecipes(),
        async (recipe, chainRecipe, options, chunk, regionRecipe, engine) => {
          const { drawn, chain } = caseOf(recipe, chainRecipe);
          const region = regionRecipe && drawRegion(regionRecipe, drawn.size);
          const chunks = chunk === null ? {} : { chunks: { z: chunk, y: chunk, x: chunk } };
          const volume = new RecordingVolume({ ...inMemory(drawn), ...chunks }, { delay: delayOf(engine) });
          const layout = { ...options, ...(region && { region }) };
          const { counts } = layoutOf(volume, layout);
          const { rows, progress } = await detect(volume, chain, { layout, options: optionsFor(engine) });
          const truth = naive(drawn, chain, keptBy(null, region, drawn.size));
          assert.deepEqual(sorted(rows), sorted(truth.cells.map(({ row }) => row)));
          const blocks = (counts.z as number) * counts.y * counts.x;
          assert.equal(progress.blocks, blocks);
          for (const a of AXES)
            reached.seen(`cut along ${a} alone`, rows.length > 0 && counts[a] === blocks && blocks > 1);
          reached.seen('cut along all axes', rows.length > 0 && AXES.every((a) => (counts[a] ?? 0) > 1));
          reached.seen('not cut', blocks === 1);
          reached.seen('components across cores', progress.seams > 0);
          reached.seen('a region of chunks', region !== null && chunk !== null && blocks > 1);
        },
      ),
      runs(120),
    ),
  );
  const alone = AXES.map((a) => `cut along ${a} alone`);
  const wanted = ['cut along all axes', 'not cut', 'components across cores', 'a region of chunks'];
  t.deepEqual(reached.missing([...alone, ...wanted]), []);
});
