/** Labels of cells, the image of them, and the other columns that are asked for, held to a plain account. */
import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { extent, type Zyx } from '../core/geometry.js';
import { Budget, type CellsOptions } from '../index.js';
import { leastImageBytes } from './support/budgets.js';
import { detect, imagesMade } from './support/detect.js';
import { ImageInMemory } from './support/imageInMemory.js';
import { ASKED_COLUMNS, type AskedColumn, labelsOf, withColumns } from './support/labelTruth.js';
import { blockAt, coreFor, coreSizes } from './support/layouts.js';
import { drawMask, drawRegion, keptBy, maskRecipes, regionRecipes } from './support/limits.js';
import { type Chain, naive, rowsInLayout } from './support/naive.js';
import { asRead, imagesOf } from './support/naiveImages.js';
import { connected } from './support/naiveShapes.js';
import { placeOf, position } from './support/places.js';
import { runs } from './support/random.js';
import { whole } from './support/reading.js';
import { anyChainRecipes, caseOf, chainRecipes, delayOf, engineRecipes } from './support/recipes.js';
import { RecordingVolume } from './support/recordingVolume.js';
import { type Tally, tally } from './support/tally.js';
import { inMemory, type VolumeRecipe, volumeRecipes } from './support/volumes.js';

/** Volumes of a few wide planes, of which little memory holds some rows only. */
const wide: fc.Arbitrary<VolumeRecipe> = volumeRecipes({ most: 8 }).map((recipe) => ({
  ...recipe,
  size: { z: 1 + (recipe.size.z % 3), y: 40 + recipe.size.y * 4, x: 60 + recipe.size.x * 8 },
}));

const cases = fc
  .record({
    volume: fc.oneof({ weight: 3, arbitrary: volumeRecipes({ most: 18 }) }, { weight: 1, arbitrary: wide }),
    chain: fc.oneof(chainRecipes(), anyChainRecipes()).map((chain) => ({ ...chain, spheres: null })),
    core: coreSizes(8),
    engine: engineRecipes(),
    mask: fc.option(maskRecipes(), { freq: 2 }),
    region: fc.option(regionRecipes(), { freq: 2 }),
    columns: fc.shuffledSubarray(ASKED_COLUMNS),
    saves: fc.boolean(),
    /** Image memory: as much as the chain takes, or plenty. */
    tight: fc.boolean(),
  })
  .map((one) => (one.volume.size.x > 40 ? { ...one, region: null, saves: true, tight: true } : one));

test.serial(
  'label images, label columns and further columns are those of a plain account for every layout, budget and thread count',
  async (t) => {
    const reached = tally();
    const property = fc.asyncProperty(cases, async (drawnCase) => {
      const { drawn, chain } = caseOf(drawnCase.volume, drawnCase.chain);
      const mask = drawnCase.mask && drawMask(drawnCase.mask, drawn.size);
      const region = drawnCase.region ? drawRegion(drawnCase.region, drawn.size) : whole(drawn.size);
      const tiled = extent(region);
      const core = coreFor(drawnCase.core, tiled, 150);
      const { threads, target, sparseBytes } = drawnCase.engine;
      const sparse = sparseBytes ?? 2 ** 20;
      const { columns, saves, tight } = drawnCase;
      const options: CellsOptions = { threads, target, columns };
      const image = new ImageInMemory();
      const asking = {
        layout: { region, ...(mask ? { mask: inMemory(mask, 'mask') } : {}) },
        saves: saves ? { shape: image } : {},
      };
      const least = await leastImageBytes(drawn, chain, core, sparse, options, asking);
      const memory = new Budget({ imageBytes: tight ? least : 2 ** 26, sparseBytes: sparse });
      const volume = new RecordingVolume(inMemory(drawn), { delay: delayOf(drawnCase.engine) });
      const found = await detect(volume, chain, { ...asking, core, options: { ...options, memory } });

      const made = await imagesMade(drawn, chain);
      const expected = naive(drawn, chain, keptBy(mask, region, drawn.size), made);
      const told = { size: drawn.size, image: imagesOf(drawn, chain, made).searched, source: asRead(drawn.data) };
      assert.deepEqual(found.rows, rowsInLayout(withColumns(expected, columns, told), core, tiled, region.start));
      if (saves) assert.deepEqual(image.voxels, labelsOf(expected, drawn.size, region));
      assert.equal(image.state, saves ? 'closed' : 'untouched');
      assert.ok(memory.peakBytes <= memory.totalBytes, `peak ${memory.peakBytes} of ${memory.totalBytes}`);
      assert.equal(memory.liveBytes, 0);

      const across = expected.cells.map(
        ({ voxels }) => new Set(voxels.map((at) => blockAt(position(at, drawn.size), core, tiled, region.start))).size,
      );
      for (const count of [2, 4, 8]) reached.seen(`a cell across ${count} cores`, saves && across.includes(count));
      reached.seen('spilled', saves && memory.spilledBytes > 0 && across.length > 0);
      // A label takes 4 bytes, and ranking it 32.
      reached.seen('labels in a file', across.length * 36 > (sparse * 3) / 8);
      reached.seen('no cells', saves && across.length === 0);
      reached.seen('one plane', saves && tiled.z === 1 && across.length > 0);
      reached.seen('several parts', image.regions.length > 1 && across.length > 0);
      reached.seen('parts of a plane', image.cutsPlanes && across.length > 0);
      reached.seen('a mask', saves && mask !== null && across.length > 0);
      reached.seen('a region', saves && drawnCase.region !== null && across.length > 0);
      const seeds = expected.cells.map(({ component }) => component);
      const shared = new Set(seeds).size < seeds.length;
      reached.seen('two cells on one component, all plateaus', saves && shared && chain.maxima.plateaus === 'all');
      reached.seen('labels known late, in many batches', isLate(found.batches, columns));
      for (const column of columns) reached.seen(column, across.length > 1);
      reached.seen('all columns', columns.length === ASKED_COLUMNS.length && saves);
    });
    await t.notThrowsAsync(fc.assert(property, runs(300)));
    t.deepEqual(
      reached.missing([
        ...[2, 4, 8].map((count) => `a cell across ${count} cores`),
        ...[
          'spilled',
          'labels in a file',
          'no cells',
          'one plane',
          'several parts',
          'parts of a plane',
          'a mask',
          'a region',
        ],
        ...[
          'two cells on one component, all plateaus',
          'labels known late, in many batches',
          'all columns',
          ...ASKED_COLUMNS,
        ],
      ]),
      [],
    );
  },
);

function isLate(batches: readonly { cells: { count: number } }[], columns: readonly AskedColumn[]): boolean {
  return columns.includes('label') && batches.filter(({ cells }) => cells.count > 0).length > 1;
}

test.serial(
  'a component with a seed is divided among its labels, each with one seed and as many voxels as its cell, and others have none',
  async (t) => {
    const reached = tally();
    const property = fc.asyncProperty(
      volumeRecipes({ most: 16 }),
      chainRecipes(),
      coreSizes(6),
      async (recipe, chainRecipe, coreSize) => {
        const { drawn, chain } = caseOf(recipe, { ...chainRecipe, spheres: null, removeBackground: null });
        const image = new ImageInMemory();
        const { rows } = await detect(drawn, chain, {
          core: coreFor(coreSize, drawn.size),
          options: { columns: ['label'] },
          saves: { shape: image },
        });
        checkDivision(drawn.size, chain, asRead(drawn.data), rows, image.voxels, reached);
      },
    );
    await t.notThrowsAsync(fc.assert(property, runs(120)));
    t.deepEqual(reached.missing(['several labels on one component', 'a component without a seed']), []);
  },
);

function checkDivision(
  size: Zyx,
  { shape: mask }: Chain,
  source: ArrayLike<number>,
  rows: number[][],
  labels: Uint32Array,
  reached: Tally,
): void {
  const threshold = mask?.threshold ?? null;
  const inside = Array.from(source, (value) => threshold === null || value > threshold);
  const { components, componentOf } = connected(size, inside);
  const counts = new Map<number, number>();
  labels.forEach((label, at) => {
    if (!inside[at]) assert.equal(label, 0);
    if (label > 0) counts.set(label, (counts.get(label) ?? 0) + 1);
  });
  const seeds = components.map(() => 0);
  for (const row of rows) {
    const [x = 0, y = 0, z = 0, voxels] = row;
    const label = row.at(-1) as number;
    const at = placeOf({ z, y, x }, size);
    assert.equal(labels[at], label, 'the label at the center is that of the row');
    assert.equal(counts.get(label), voxels);
    counts.delete(label);
    const component = componentOf[at] as number;
    seeds[component] = (seeds[component] as number) + 1;
  }
  assert.equal(counts.size, 0, 'every label has a row');
  components.forEach(({ voxels }, at) => {
    const labelled = voxels.filter((voxel) => labels[placeOf(voxel, size)] !== 0).length;
    assert.equal(labelled, seeds[at] === 0 ? 0 : voxels.length);
  });
  reached.seen(
    'several labels on one component',
    seeds.some((count) => count > 1),
  );
  reached.seen('a component without a seed', rows.length > 0 && seeds.includes(0));
}
