/** Images that leave the chain: save() into files, with cells or alone, and applied() as lazy volumes. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { firstValueFrom, lastValueFrom, Subscription, take, throwError } from 'rxjs';
import type { Region, Zyx } from '../core/geometry.js';
import type { RunRecord } from '../core/runRecord.js';
import {
  applied,
  type Block,
  blocks,
  branch,
  cells,
  idle,
  maxima,
  npyVolume,
  OptionError,
  type RemoveBackgroundOptions,
  removeBackground,
  run,
  SinkError,
  save,
  shape,
  steps,
  type Volume,
} from '../index.js';
import { asked, detect, gather } from './support/detect.js';
import { coreFor, coreSizes } from './support/layouts.js';
import { drawRegion, regionRecipes } from './support/limits.js';
import type { Chain } from './support/naive.js';
import { asRead, background } from './support/naiveImages.js';
import { readNpy } from './support/npy.js';
import { runs } from './support/random.js';
import { cut, readRegion, regionsWithin, same, whole } from './support/reading.js';
import { delayOf, engineRecipes, optionsFor } from './support/recipes.js';
import { RecordingVolume } from './support/recordingVolume.js';
import { ample, clean, drawn as fixed, volumeOf } from './support/stream.js';
import { tally } from './support/tally.js';
import { tempFolder } from './support/temp.js';
import { type Drawn, drawVolume, inMemory, volumeRecipes } from './support/volumes.js';

type Element = Required<RemoveBackgroundOptions> & { readonly size: { readonly y: number; readonly x: number } };

const elements: fc.Arbitrary<Element> = fc.record({
  size: fc.record({ y: fc.integer({ min: 1, max: 9 }), x: fc.integer({ min: 1, max: 9 }) }),
  form: fc.constantFrom('disk', 'rectangle'),
  opening: fc.constantFrom('symmetric', 'clearmap'),
});

/** Whether a file holds these voxels of a region of a volume, and nothing else. */
async function holds(path: string, data: Drawn['data'], size: Zyx, region: Region): Promise<boolean> {
  const image = await readNpy(path);
  const expected = cut(data, size, region);
  return same(image.data, expected) && image.data.constructor === expected.constructor;
}

test.serial(
  'saved images are those of the whole volume for every type, layout, region, budget and thread count',
  async (t) => {
    const folder = await tempFolder(t);
    const reached = tally();
    let number = 0;
    await t.notThrowsAsync(
      fc.assert(
        fc.asyncProperty(
          volumeRecipes({ most: 20 }),
          elements,
          coreSizes(10),
          engineRecipes(),
          fc.option(regionRecipes(), { freq: 2 }),
          fc.boolean(),
          async (recipe, element, coreSize, engine, regionRecipe, withCells) => {
            const drawn = drawVolume(recipe);
            const core = coreFor(coreSize, drawn.size, 60);
            const region = regionRecipe ? drawRegion(regionRecipe, drawn.size) : whole(drawn.size);
            const volume = new RecordingVolume(inMemory(drawn), { delay: delayOf(engine) });
            const paths = { source: join(folder, `${++number}.s.npy`), background: join(folder, `${number}.b.npy`) };
            const saving = blocks(volume, { size: core, region }).pipe(
              save('source', npyVolume(paths.source)),
              removeBackground(element),
              save('dog', npyVolume(paths.background)), // a step that was skipped means its input
            );
            const options = optionsFor(engine);
            if (withCells) await gather((progress) => saving.pipe(maxima(), shape(), cells({ ...options, progress })));
            else await lastValueFrom(saving.pipe(run(options)));

            const read = asRead(drawn.data);
            assert.ok(await holds(paths.source, read, drawn.size, region), 'the source');
            const expected = background(read, drawn.size, element);
            assert.ok(await holds(paths.background, expected, drawn.size, region), 'the background');
            assert.equal(options.memory?.liveBytes ?? 0, 0);
            reached.seen(`${volume.dtype} ${engine.target} ${withCells ? 'with cells' : 'alone'}`);
            if (regionRecipe) reached.seen('a region');
            if (new Set(volume.regions.map(({ start }) => `${start.y} ${start.x}`)).size > 1) reached.seen('tiles');
          },
        ),
        runs(150),
      ),
    );
    const types = ['uint8', 'uint16', 'float32'].flatMap((dtype) => [
      `${dtype} portable with cells`,
      `${dtype} portable alone`,
    ]);
    t.deepEqual(reached.missing([...types, 'a region', 'tiles']), []);
  },
);

test.serial('saving changes no cell, and each branch saves its own images', async (t) => {
  const folder = await tempFolder(t);
  const chain: Chain = {
    removeBackground: { size: { y: 5, x: 5 } },
    maxima: { size: { z: 3, y: 3, x: 3 }, threshold: 0 },
    shape: { threshold: 200 },
    measure: ['source', 'background'],
  };
  const core = { z: 5, y: 6, x: 7 };
  const plain = await detect(fixed, chain, { core });
  const path = (name: string) => join(folder, `${name}.npy`);
  const of = (size: number, name: string) =>
    steps(removeBackground({ size }), save('background', npyVolume(path(name))), maxima({ size: 3 }));
  const saving = await gather((progress) =>
    asked(blocks(volumeOf(), { size: core }).pipe(save('source', npyVolume(path('source')))), chain).pipe(
      cells({ progress }),
    ),
  );
  t.deepEqual(saving.rows, plain.rows);
  await lastValueFrom(
    blocks(volumeOf(), { size: core }).pipe(branch({ small: of(3, 'small'), large: of(8, 'large') }), cells()),
  );
  const { data, size } = fixed;
  t.true(await holds(path('source'), data, size, whole(size)));
  for (const [name, extent] of Object.entries({ small: 3, large: 8 })) {
    const expected = background(data, size, { size: { y: extent, x: extent } });
    t.true(await holds(path(name), expected, size, whole(size)), name);
  }
});

test.serial('run() gives one record once the files are there, and refuses a pipeline that saves nothing', async (t) => {
  const folder = await tempFolder(t);
  const path = join(folder, 'background.npy');
  const described = blocks(volumeOf(), { size: 7 }).pipe(removeBackground({ size: 4 }));
  const records: RunRecord[] = [];
  const last = await lastValueFrom(described.pipe(save('background', npyVolume(path)), run({ threads: 2 })));
  records.push(last);
  t.deepEqual(await readdir(folder), ['background.npy']);
  t.is(last.counts.voxels, fixed.data.length);
  t.deepEqual(Object.keys(last.parameters), ['removeBackground', 'save']);
  t.is(records.length, 1);
  const error = await t.throwsAsync(lastValueFrom(described.pipe(run())), { instanceOf: OptionError });
  t.regex(error.message, /^run: the pipeline must be one with a save step/);
});

test.serial('what cannot be saved is found before the first read, and nothing is left of what was begun', async (t) => {
  const folder = await tempFolder(t);
  const volume = volumeOf();
  const budget = ample();
  const saving = (path: string) => blocks(volume).pipe(save('source', npyVolume(path)), run({ memory: budget }));
  await t.throwsAsync(lastValueFrom(saving(join(folder, 'absent', 'a.npy'))), { instanceOf: SinkError });
  t.is(volume.regions.length, 0);
  await clean(t, budget);

  const broken = new Error('upstream');
  const failing = blocks(volumeOf(), { size: 4 }).pipe(save('source', npyVolume(join(folder, 'b.npy'))));
  const ends: Record<string, () => Promise<unknown>> = {
    'an error of the source': () =>
      lastValueFrom(
        blocks(new RecordingVolume(inMemory(fixed), { failure: { read: 5, error: broken } }), { size: 4 }).pipe(
          save('source', npyVolume(join(folder, 'a.npy'))),
          run(),
        ),
      ),
    'an error upstream': () =>
      lastValueFrom(throwError(() => broken).pipe(save('source', npyVolume(join(folder, 'a.npy'))), run())),
    unsubscribing: async () => {
      const subscription = new Subscription();
      await new Promise<void>((resolve) => {
        subscription.add(
          failing.pipe(run({ progress: { next: ({ blocks: done }) => done > 3 && resolve() } })).subscribe(),
        );
      });
      subscription.unsubscribe();
      throw broken;
    },
  };
  for (const [what, end] of Object.entries(ends)) {
    await t.throwsAsync(end, undefined, what);
    await idle();
    t.deepEqual(await readdir(folder), [], what);
  }
});

test.serial('applied() gives the voxels of the whole result, whatever region is read, in the same dtype', async (t) => {
  const reached = tally();
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(
        volumeRecipes({ least: 2, most: 16 }).chain((recipe) =>
          fc.tuple(fc.constant(recipe), fc.array(regionsWithin(recipe.size), { minLength: 1, maxLength: 4 })),
        ),
        elements,
        async ([recipe, regions], element) => {
          const drawn = drawVolume(recipe);
          const lazy = applied(inMemory(drawn), removeBackground(element));
          const expected = background(asRead(drawn.data), drawn.size, element);
          assert.deepEqual({ ...lazy.size }, { ...drawn.size });
          const found = await Promise.all(regions.map((region) => readRegion(lazy, region)));
          for (const [at, region] of regions.entries()) {
            assert.ok(same(found[at] as Drawn['data'], cut(expected, drawn.size, region)), JSON.stringify(region));
          }
          reached.seen(lazy.dtype);
          if (regions.length > 1) reached.seen('reads side by side');
        },
      ),
      runs(100),
    ),
  );
  t.deepEqual(reached.missing(['uint8', 'uint16', 'float32', 'reads side by side']), []);
});

test.serial('cells of an applied volume are those of the chain with that step', async (t) => {
  const chain: Chain = {
    removeBackground: { size: { y: 6, x: 5 } },
    maxima: { size: { z: 3, y: 3, x: 3 }, threshold: 0 },
    shape: { threshold: 150 },
    measure: ['background'],
  };
  const lazy = applied(volumeOf(), removeBackground({ size: { y: 6, x: 5 } }));
  const found = await detect(lazy, { ...chain, removeBackground: null }, { core: { z: 4, y: 9, x: 8 } });
  t.deepEqual(found.rows, (await detect(fixed, chain, { core: { z: 4, y: 9, x: 8 } })).rows);
  t.true(found.rows.length > 0);
});

test.serial('applied() refuses steps that make no image, a wrong array, and stops with its signal', async (t) => {
  const volume: Volume = volumeOf();
  t.throws(() => applied(volume), { instanceOf: OptionError });
  t.throws(() => applied(volume, maxima() as never), { instanceOf: OptionError });
  const lazy = applied(volume, removeBackground());
  const region = { start: { z: 0, y: 0, x: 0 }, stop: { z: 1, y: 2, x: 2 } };
  const never = new AbortController().signal;
  await t.throwsAsync(lazy.read(region, new Uint16Array(3), never), { instanceOf: OptionError });
  await t.throwsAsync(lazy.read(region, new Float32Array(4), never), { instanceOf: OptionError });
  await t.throwsAsync(lazy.read(region, new Uint16Array(4), AbortSignal.abort(new Error('enough'))), {
    message: 'enough',
  });
});

test.serial(
  'voxels() of a block after a branching gives what all branches have in common, and refuses the rest',
  async (t) => {
    const described = blocks(volumeOf(), { size: 8 }).pipe(
      removeBackground({ size: 3 }),
      branch({ a: maxima(), b: maxima({ size: 3 }) }),
      take(1),
    );
    const block: Block<'source' | 'background' | 'maxima'> = await firstValueFrom(described);
    const { data, size } = fixed;
    const expected = background(data, size, { size: { y: 3, x: 3 } });
    t.true(same(await block.voxels('background'), cut(expected, size, block.core)));
    t.throws(() => block.voxels('dog' as never), { instanceOf: OptionError });
  },
);
