/** Steps of the user's own, in whole pipelines. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { lastValueFrom, tap } from 'rxjs';
import type { Zyx } from '../core/geometry.js';
import { applied, type Block, blocks, cells, liveVolume, maxima, npyVolume, save, step } from '../index.js';
import { gather, sorted } from './support/detect.js';
import { coreFor, coreSizes } from './support/layouts.js';
import { naive } from './support/naive.js';
import { asRead } from './support/naiveImages.js';
import { weighed } from './support/naiveStep.js';
import { readNpy } from './support/npy.js';
import { runs } from './support/random.js';
import { cut, readRegion, same } from './support/reading.js';
import { delayOf, engineRecipes, optionsFor } from './support/recipes.js';
import { RecordingVolume } from './support/recordingVolume.js';
import { tally } from './support/tally.js';
import { tempFolder } from './support/temp.js';
import { imagesOfChain, MODULE, pipelineOf, userChains, ways } from './support/userSteps.js';
import { dtypeOf } from './support/values.js';
import { type Drawn, drawVolume, inMemory, volumeRecipes } from './support/volumes.js';
import { within } from './support/waiting.js';

const dtypes = ['uint8', 'uint16', 'float32'];

test.serial(
  "a user's steps give the images and cells of the whole volume, for every layout, type and way to run",
  async (t) => {
    const folder = await tempFolder(t);
    const reached = tally();
    let number = 0;
    await t.notThrowsAsync(
      fc.assert(
        fc.asyncProperty(
          volumeRecipes({ most: 12 }).chain((recipe) => fc.tuple(fc.constant(recipe), volumeRecipes())),
          userChains,
          coreSizes(8),
          fc.constantFrom(0, 0, 3),
          engineRecipes(),
          async ([recipe, channel], chain, coreSize, overlap, engine) => {
            const drawn = drawVolume(recipe);
            const { size } = drawn;
            const nuclei = drawVolume({ ...channel, size }).data;
            const core = coreFor(coreSize, size, 30);
            const images = imagesOfChain(chain, { source: asRead(drawn.data), nuclei: asRead(nuclei), size });
            const last = images.at(-1)?.data as Drawn['data'];
            const threshold = last.toSorted()[Math.floor(last.length / 2)] as number;
            number += 1;
            const path = (name: string) => join(folder, `${number}.${name}.npy`);
            const sinks = Object.fromEntries(images.map(({ name }) => [name, npyVolume(path(name))]));
            const measure = ['source', ...images.map(({ name }) => name)];
            const asked = pipelineOf(images, sinks, threshold, measure);

            // Of a source that keeps planes each push takes one, and rings wrap around.
            const planeByPlane = engine.delays.length % 2 === 1;
            const source = { ...inMemory(drawn), ...(planeByPlane && { keepsPlanes: 4096 }) };
            const volume = new RecordingVolume(source, { delay: delayOf(engine) });
            const also = { nuclei: inMemory({ data: nuclei, size }, 'nuclei') };
            const options = optionsFor(engine);
            const { rows } = await gather((progress) =>
              blocks(volume, { size: core, overlap, also }).pipe(asked, cells({ ...options, progress })),
            );

            for (const { name, data } of images) {
              const saved = await readNpy(path(name));
              assert.ok(same(saved.data, data), `${name} as it was saved`);
            }
            const found = {
              source: asRead(drawn.data),
              ...Object.fromEntries(images.map(({ name, data }) => [name, data])),
            };
            const truth = naive(
              { data: last, size, also: found },
              {
                removeBackground: null,
                ...{ maxima: { size: { z: 3, y: 3, x: 3 }, threshold: null }, shape: { threshold } },
                ...{ method: 'sum', measure },
              },
            );
            assert.deepEqual(
              sorted(rows),
              truth.cells.map(({ row }) => row),
              'cells',
            );
            assert.equal(options.memory?.liveBytes ?? 0, 0);

            const blocksOfVolume = Math.ceil(size.z / core.z) * Math.ceil(size.y / core.y) * Math.ceil(size.x / core.x);
            const own = [chain.first, ...(chain.second ? [chain.second] : [])];
            for (const { way, halo, with: others } of own) {
              reached.seen(way, blocksOfVolume > 1);
              for (const a of ['z', 'y', 'x'] as const) {
                reached.seen(`halo in ${a} across cores`, halo[a] > 0 && core[a] < size[a]);
                reached.seen(`no halo in ${a}`, halo[a] === 0);
              }
              for (const other of others) reached.seen(`with ${other}`, blocksOfVolume > 1);
            }
            for (const { name, data } of images) reached.seen(`${name} of ${dtypeOf(data)}`);
            const order = images.map(({ name }) => name).join(', ');
            reached.seen(order);
            reached.seen('plane by plane', planeByPlane && core.z > 1 && own.some(({ halo }) => halo.z > 0));
            reached.seen(
              'more overlap than steps need',
              overlap > 0 && images.every(({ name }) => name !== 'background'),
            );
            reached.seen('many cells', rows.length > 1 && blocksOfVolume > 1);
          },
        ),
        runs(200),
      ),
    );
    t.deepEqual(
      reached.missing([
        ...Object.keys(ways),
        ...['z', 'y', 'x'].flatMap((a) => [`halo in ${a} across cores`, `no halo in ${a}`]),
        ...['source', 'nuclei', 'smooth'].map((name) => `with ${name}`),
        ...['smooth', 'sharp'].flatMap((name) => dtypes.map((dtype) => `${name} of ${dtype}`)),
        ...['smooth', 'smooth, background', 'background, smooth', 'smooth, sharp'],
        ...['background, smooth, sharp', 'smooth, background, sharp', 'smooth, sharp, background'],
        ...['plane by plane', 'more overlap than steps need', 'many cells'],
      ]),
      [],
    );
  },
);

/** Sixteen planes in blocks of 4 x 16 x 10 voxels. */
const size: Zyx = { z: 16, y: 16, x: 20 };
const core: Zyx = { z: 4, y: 16, x: 10 };
const fixed = drawVolume({ kind: 'beads', size, seed: 5, levels: 3 });
const halo = { z: 1, y: 2, x: 1 };
const weighing = { halo, dtype: 'uint16' as const };
const smooth = step('smooth', { halo, options: weighing, module: MODULE });

test.serial('voxels() and applied() give a user step of the whole volume', async (t) => {
  const expected = weighed([fixed.data], size, weighing);
  const described = blocks(inMemory(fixed), { size: core }).pipe(smooth);
  const block: Block<'source' | 'smooth'> = await lastValueFrom(described);
  t.true(same(await block.voxels('smooth'), cut(expected, size, block.core)));
  const lazy = applied(inMemory(fixed), smooth);
  t.is(lazy.dtype, 'uint16');
  const region = { start: { z: 3, y: 1, x: 4 }, stop: { z: 9, y: 14, x: 17 } };
  t.true(same(await readRegion(lazy, region), cut(expected, size, region)));
});

test.serial('planes that are still coming go through a user step as they come, to the last', async (t) => {
  const folder = await tempFolder(t);
  const path = join(folder, 'smooth.npy');
  const expected = weighed([fixed.data], size, weighing);
  const live = liveVolume({ size: { y: size.y, x: size.x }, buffer: 16 });
  const counts: number[] = [];
  const found = blocks(live.volume, { size: { ...size, z: 5 } }).pipe(
    smooth,
    save('smooth', npyVolume(path)),
    maxima({ threshold: null }),
    cells(),
    tap(({ cells: { count } }) => counts.push(count)),
  );
  const running = lastValueFrom(found);
  const pixels = size.y * size.x;
  for (let z = 0; z < size.z; z++) await live.write(fixed.data.slice(z * pixels, (z + 1) * pixels) as Uint16Array);
  live.end();
  await within(20_000, 'the run', running);
  const saved = await readNpy(path);
  t.deepEqual(saved.size, size);
  t.true(same(saved.data, expected));
  t.true(counts.filter((count) => count > 0).length > 1, `${counts}`);
});
