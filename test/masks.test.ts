/** What masks and regions leave unread, and what voxels may be. */
import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { lastValueFrom, toArray } from 'rxjs';
import { addHalos, extent, grow, noHalo, voxelCount, type Zyx } from '../core/geometry.js';
import { bytesPerVoxel } from '../core/volume.js';
import {
  BlockError,
  blocks,
  idle,
  liveVolume,
  OptionError,
  removeBackground,
  SourceError,
  type Volume,
} from '../index.js';
import { detect, stepsOf } from './support/detect.js';
import { blockCount, contains, coreAt, coreFor, coreSizes, coresWith } from './support/layouts.js';
import { drawMask, drawRegion, keptBy, maskRecipes, regionRecipes } from './support/limits.js';
import { naive, rowsInLayout } from './support/naive.js';
import { runs } from './support/random.js';
import { caseOf, chainRecipes, delayOf, engineRecipes, optionsFor } from './support/recipes.js';
import { RecordingVolume } from './support/recordingVolume.js';
import { ample, chain, clean, core, drawn, onlyLastIsLast } from './support/stream.js';
import { tally } from './support/tally.js';
import { type Drawn, inMemory, volumeRecipes } from './support/volumes.js';
import { within } from './support/waiting.js';

test.serial('blocks wholly outside the mask or the region are not read, the others with their halo once', async (t) => {
  const reached = tally();
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(
        volumeRecipes({ least: 2, most: 18 }),
        chainRecipes(),
        coreSizes(8),
        engineRecipes(),
        maskRecipes(),
        fc.option(regionRecipes(), { freq: 2 }),
        async (recipe, chainRecipe, coreSize, engine, maskRecipe, regionRecipe) => {
          const { drawn, chain } = caseOf(recipe, chainRecipe);
          const mask = drawMask(maskRecipe, drawn.size);
          const region = regionRecipe && drawRegion(regionRecipe, drawn.size);
          const tiled = region ? extent(region) : drawn.size;
          const start = region?.start ?? { z: 0, y: 0, x: 0 };
          const core = coreFor(coreSize, tiled);
          const volume = new RecordingVolume(inMemory(drawn), { delay: delayOf(engine) });
          const tissue = new RecordingVolume(inMemory(mask));
          const options = optionsFor(engine);
          const layout = { mask: tissue, ...(region ? { region } : {}) };
          const found = await detect(volume, chain, { core, layout, options });

          const kept = keptBy(mask, region, drawn.size);
          const left = coresWith(kept, core, tiled, start);
          const halo = stepsOf(chain).plans.reduce((sum, plan) => addHalos(sum, plan.halo), noHalo);
          const regions = [...left].map((index) => {
            const { start: from, stop: to } = coreAt(index, core, tiled);
            const moved = { start: plus(from, start), stop: plus(to, start) };
            return grow(moved, halo, drawn.size);
          });
          for (const read of volume.regions)
            assert.ok(
              regions.some((one) => contains(one, read)),
              'a read is in the core and halo of a block that counts',
            );
          const bytes = regions.reduce((sum, one) => sum + bytesPerVoxel[volume.dtype] * voxelCount(one), 0);
          assert.equal(volume.bytesRead, bytes);
          onlyLastIsLast(found.batches);
          assert.deepEqual(found.rows, rowsInLayout(naive(drawn, chain, kept), core, tiled, start));
          assert.equal(options.memory?.liveBytes ?? 0, 0);

          reached.seen('nothing left', left.size === 0);
          reached.seen('some blocks left', left.size > 0 && left.size < blockCount(core, tiled));
          reached.seen('all blocks left', left.size === blockCount(core, tiled));
          reached.seen('a region', region !== null && left.size > 0);
          reached.seen('cells', found.rows.length > 0);
        },
      ),
      runs(120),
    ),
  );
  t.deepEqual(reached.missing(['nothing left', 'some blocks left', 'all blocks left', 'a region', 'cells']), []);
});

function plus(a: Zyx, b: Zyx): Zyx {
  return { z: a.z + b.z, y: a.y + b.y, x: a.x + b.x };
}

test.serial('a mask or a channel that fails to read is named in the error, and nothing is left', async (t) => {
  const like = drawMask({ kind: 'full', eighths: { z: 8, y: 8, x: 8 }, dtype: 'uint8', seed: 1 }, drawn.size);
  const broken = () =>
    new RecordingVolume(inMemory(like, 'broken'), {
      failure: { read: 0, error: new SourceError('broken', 'the disk is gone') },
    });
  const measured = { ...chain, measure: ['nuclei'] };
  for (const layout of [{ mask: broken() }, { also: { nuclei: broken() } }]) {
    const budget = ample();
    const error = await t.throwsAsync(
      detect(drawn, measured, {
        core,
        layout: { also: { nuclei: inMemory(like) }, ...layout },
        options: { memory: budget },
      }),
    );
    t.true(error instanceof BlockError || error instanceof SourceError, String(error));
    t.regex(error?.message ?? '', /broken: the disk is gone/);
    await clean(t, budget);
  }
});

const floats: Drawn = { size: drawn.size, data: Float32Array.from(drawn.data, (value) => value / 3) };
const floatChain = { ...chain, removeBackground: { size: { y: 4, x: 5 } } };

/** The same volume with one voxel that is no number to compute with. */
function spoilt({ data, size }: Drawn, at: Zyx, value: number): Drawn {
  const voxels = data.slice();
  voxels[(at.z * size.y + at.y) * size.x + at.x] = value;
  return { data: voxels, size };
}

test.serial('NaN and infinity are errors that name the voxel and the block, in every layout', async (t) => {
  const along = (axis: 'z' | 'y' | 'x') => fc.nat(drawn.size[axis] - 1);
  const reached = tally();
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(
        fc.record({ z: along('z'), y: along('y'), x: along('x') }),
        fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
        coreSizes(10),
        engineRecipes(),
        fc.boolean(),
        async (at, value, coreSize, engine, inChannel) => {
          const options = optionsFor(engine);
          const bad = spoilt(floats, at, value);
          const [source, channel] = inChannel ? [floats, bad] : [bad, floats];
          const error: unknown = await detect(
            inMemory(source, 'source'),
            { ...floatChain, measure: ['nuclei', 'source'] },
            {
              core: coreFor(coreSize, drawn.size),
              layout: { also: { nuclei: inMemory(channel, 'channel') } },
              options,
            },
          ).then(
            () => undefined,
            (error) => error,
          );
          assert.ok(error instanceof BlockError, String(error));
          assert.match(error.message, new RegExp(`z ${at.z}, y ${at.y}, x ${at.x}\\b`));
          assert.match(error.message, Number.isNaN(value) ? /NaN/ : value > 0 ? /got infinity/ : /got -infinity/);
          if (inChannel) assert.match(error.message, /channel: voxel/);
          const halo = stepsOf(floatChain).plans.reduce((sum, plan) => addHalos(sum, plan.halo), noHalo);
          assert.ok(
            contains(grow(error.region, halo, drawn.size), { start: at, stop: plus(at, { z: 1, y: 1, x: 1 }) }),
          );
          await within(10_000, 'idle()', idle());
          assert.equal(options.memory?.liveBytes ?? 0, 0);
          reached.seen(`${value} in a ${inChannel ? 'channel' : 'source'}`);
        },
      ),
      runs(60),
    ),
  );
  const values = ['NaN', 'Infinity', '-Infinity'];
  t.deepEqual(reached.missing(values.flatMap((value) => [`${value} in a source`, `${value} in a channel`])), []);
});

test.serial('a voxel that is no number is an error of voxels() too, and none where nobody reads it', async (t) => {
  const at = { z: 9, y: 17, x: 3 };
  const volume = inMemory(spoilt(floats, at, Number.NaN));
  const described = await lastValueFrom(
    blocks(volume, { size: core }).pipe(removeBackground(floatChain.removeBackground), toArray()),
  );
  let failed = 0;
  for (const block of described) {
    const isIn = contains(block.core, { start: at, stop: plus(at, { z: 1, y: 1, x: 1 }) });
    for (const step of ['source', 'background'] as const) {
      const error: unknown = await block.voxels(step).then(
        () => undefined,
        (error) => error,
      );
      if (isIn) {
        t.true(error instanceof BlockError);
        t.regex(String(error), /z 9, y 17, x 3\b/);
        failed += 1;
      } else if (step === 'source') t.is(error, undefined);
    }
  }
  t.is(failed, 2);
  const region = { start: { z: 0, y: 0, x: 0 }, stop: { z: 4, y: drawn.size.y, x: drawn.size.x } };
  const { rows } = await detect(volume, floatChain, { core, layout: { region } });
  t.deepEqual(rows, rowsInLayout(naive(floats, floatChain, keptBy(null, region, drawn.size)), core, extent(region)));
});

test.serial('-0 reads as 0, in voxels() and in what is measured', async (t) => {
  const size: Zyx = { z: 3, y: 8, x: 9 };
  const count = size.z * size.y * size.x;
  // A cell of value 1 amid zeros of both signs, above a threshold below them.
  const data = Float32Array.from({ length: count }, (_, at) => (at === 110 ? 1 : at % 2 === 0 ? -0 : 0));
  const volume: Volume = inMemory({ data, size });
  const [block] = await lastValueFrom(
    blocks(volume).pipe(removeBackground({ size: { y: 3, x: 2 }, ...{ opening: 'clearmap' } }), toArray()),
  );
  for (const step of ['source', 'background'] as const) {
    const voxels = await block?.voxels(step);
    t.is(voxels?.length, count);
    t.false(
      voxels?.some((value) => Object.is(value, -0)),
      step,
    );
  }
  for (const method of ['min', 'max', 'sum', 'mean'] as const) {
    const asked = { ...chain, maxima: { ...chain.maxima, threshold: null }, shape: { threshold: -1 }, method };
    const { rows } = await detect(volume, asked, { core: { z: 2, y: 3, x: 4 } });
    t.deepEqual(rows, rowsInLayout(naive({ data, size }, asked), { z: 2, y: 3, x: 4 }, size), method);
    t.false(
      rows.flat().some((value) => Object.is(value, -0)),
      method,
    );
  }
});

test('a mask of a volume whose depth is not known is refused at once, and not taken to leave out every block', (t) => {
  const { volume } = liveVolume({ size: { y: 4, x: 4 }, buffer: 40 });
  const mask = inMemory({ size: { z: 8, y: 4, x: 4 }, data: new Uint8Array(128).fill(1) }, 'tissue');
  const error = t.throws(() => blocks(volume, { mask }), { instanceOf: OptionError });
  t.regex(error?.message ?? '', /^blocks: mask must be of known depth, as its volume, got 'live \d+ of none yet'$/);
  t.throws(() => blocks(mask, { mask: volume }), { instanceOf: OptionError });
});
