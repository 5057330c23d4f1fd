/** What batches say of the cells that are still to come. */
import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import type { CellBatch } from '../index.js';
import { detect } from './support/detect.js';
import { contains, coreFor, coreSizes } from './support/layouts.js';
import { naive, rowsInLayout, type Truth } from './support/naive.js';
import { runs } from './support/random.js';
import { caseOf, chainRecipes, engineRecipes, optionsFor } from './support/recipes.js';
import { chain, key, onlyLastIsLast } from './support/stream.js';
import { volumeRecipes } from './support/volumes.js';

test.serial(
  'finalTo never falls, all cells of closed components below it are out, and the open ones are listed',
  async (t) => {
    const reached = { open: 0, between: 0, beforeTheEnd: 0 };
    await t.notThrowsAsync(
      fc.assert(
        fc.asyncProperty(
          volumeRecipes({ kinds: ['blobs', 'boxes', 'comb', 'beads', 'speckle', 'serpentine'], least: 3, most: 18 }),
          chainRecipes(),
          coreSizes(6),
          engineRecipes(),
          async (recipe, chainRecipe, coreSize, engine) => {
            const { drawn, chain } = caseOf(recipe, chainRecipe);
            const { size } = drawn;
            const cut = coreFor(coreSize, size);
            const found = await detect(drawn, chain, { core: cut, options: optionsFor(engine) });
            const whole = naive(drawn, chain);
            const order = rowsInLayout(whole, cut, size).map((row) => key(row));
            const cellOf = new Map(whole.cells.map((cell) => [key(cell.row), cell]));
            onlyLastIsLast(found.batches);

            let out = 0;
            let below = 0;
            for (const batch of found.batches) {
              out += batch.cells.count;
              assert.ok(batch.finalTo >= below, 'finalTo never falls');
              below = batch.finalTo;
              for (const later of order.slice(out)) {
                const cell = cellOf.get(later) as Truth['cells'][number];
                if (cell.at.z >= batch.finalTo) continue;
                const { box, voxels } = whole.components[cell.component] as Truth['components'][number];
                const listed = batch.open.some(
                  (open) => contains(box, open.box) && open.voxels > 0 && open.voxels <= voxels.length,
                );
                assert.ok(
                  listed,
                  `a cell at z ${cell.at.z} is not out, finalTo is ${batch.finalTo}, and no open component holds it`,
                );
                reached.open += 1;
              }
              for (const { box, voxels } of batch.open)
                assert.ok(
                  whole.components.some((one) => contains(one.box, box) && voxels <= one.voxels.length),
                  'an open component is a part of a real one',
                );
              if (batch.finalTo > 0 && batch.finalTo < size.z) reached.between += 1;
              if (!batch.last && batch.cells.count > 0) reached.beforeTheEnd += 1;
            }
            assert.equal(below, size.z, 'in the end everything is final');
            assert.deepEqual(found.batches.at(-1)?.open, [], 'in the end nothing is open');
          },
        ),
        runs(80),
      ),
    );
    for (const [what, times] of Object.entries(reached)) t.true(times > 0, `no drawn case reached ${what}`);
  },
);

test.serial(
  'finalTo follows the slabs while one component stays open through all of them, listed as it grows',
  async (t) => {
    const size = { z: 24, y: 10, x: 10 };
    const data = new Uint16Array(size.z * size.y * size.x).fill(100);
    const at = (z: number, y: number, x: number) => (z * size.y + y) * size.x + x;
    for (let z = 0; z < size.z; z++) data[at(z, 8, 8)] = 900;
    for (let z = 1; z < size.z; z += 4) data[at(z, 2, 2)] = 1000;
    const found = await detect({ data, size }, chain, { core: { z: 4, y: 10, x: 10 } });
    onlyLastIsLast(found.batches);
    const before = found.batches.filter(({ finalTo, cells }) => finalTo < size.z && cells.count > 0);
    t.deepEqual(
      before.map(({ finalTo, cells }) => ({ finalTo, z: cells.row(0).z })),
      [4, 8, 12, 16, 20].map((finalTo) => ({ finalTo, z: finalTo - 3 })),
    );
    let known = 0;
    for (const { finalTo, open } of before) {
      t.is(open.length, 1, `the column of voxels is open when all is final to ${finalTo}`);
      const [{ box, voxels }] = open as [CellBatch['open'][number]];
      t.deepEqual(box, { start: { z: 0, y: 8, x: 8 }, stop: { z: voxels, y: 9, x: 9 } });
      t.true(voxels >= finalTo && voxels >= known && voxels <= size.z);
      known = voxels;
    }
  },
);
