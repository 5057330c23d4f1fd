import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { filter, lastValueFrom, toArray } from 'rxjs';
import { AXES, extent, grow, type Halo, type Region, voxelCount, zyx } from '../core/geometry.js';
import { bytesPerVoxel } from '../core/volume.js';
import { arrayVolume, type Block, blocks, type Volume, type Zyx } from '../index.js';
import { asked, detect } from './support/detect.js';
import { blockCount, contains, coreAt, coreFor, coreSizes } from './support/layouts.js';
import type { Chain } from './support/naive.js';
import { runs } from './support/random.js';
import { caseOf, chainRecipes, delayOf, engineRecipes, optionsFor } from './support/recipes.js';
import { RecordingVolume } from './support/recordingVolume.js';
import { inMemory, volumeRecipes } from './support/volumes.js';

/** What SPEC.md allows a chain to read around a core: what the opening reaches, and twice the window of the maxima. */
function haloOf({ removeBackground, maxima }: Chain): Halo {
  const opening = (axis: 'z' | 'y' | 'x') => {
    if (removeBackground === null || axis === 'z') return { before: 0, after: 0 };
    const size = removeBackground.size[axis];
    const half = Math.floor(size / 2);
    // The element as it is looks twice to the same side; its reflection looks once to each.
    if (removeBackground.opening === 'clearmap') return { before: 2 * half, after: 2 * (size - 1 - half) };
    return { before: size - 1, after: size - 1 };
  };
  const before = (axis: 'z' | 'y' | 'x') => 2 * Math.floor(maxima.size[axis] / 2) + opening(axis).before;
  const after = (axis: 'z' | 'y' | 'x') =>
    2 * (maxima.size[axis] - 1 - Math.floor(maxima.size[axis] / 2)) + opening(axis).after;
  return {
    before: { z: before('z'), y: before('y'), x: before('x') },
    after: { z: after('z'), y: after('y'), x: after('x') },
  };
}

/** How often each voxel of a volume is in one of the regions. */
function coverage(regions: readonly Region[], size: Zyx): Uint32Array {
  const times = new Uint32Array(size.z * size.y * size.x);
  for (const { start, stop } of regions)
    for (let z = start.z; z < stop.z; z++)
      for (let y = start.y; y < stop.y; y++)
        for (let x = start.x; x < stop.x; x++) {
          const at = (z * size.y + y) * size.x + x;
          times[at] = (times[at] as number) + 1;
        }
  return times;
}

function described(volume: Volume, size?: number | Zyx): Promise<Block<'source'>[]> {
  return lastValueFrom(blocks(volume, size === undefined ? {} : { size }).pipe(toArray()));
}

/** A volume of any size that nobody may read. */
function unread(size: Volume['size'], rest: Partial<Volume> = {}): Volume {
  return {
    id: 'unread',
    size,
    dtype: 'uint16',
    read: () => Promise.reject(new Error('nothing asked for voxels')),
    ...rest,
  };
}

test.serial('cores tile the volume without gap or overlap, in z, y, x order, for every size', async (t) => {
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(volumeRecipes({ kinds: ['constant'] }), coreSizes(30), async ({ size }, coreSize) => {
        const core = coreFor(coreSize, size, 2000);
        const found = await described(unread(size), core);
        assert.deepEqual(
          found.map(({ index, core }) => ({ index, core })),
          Array.from({ length: blockCount(core, size) }, (_, index) => ({ index, core: coreAt(index, core, size) })),
        );
        assert.ok(
          coverage(
            found.map((block) => block.core),
            size,
          ).every((times) => times === 1),
        );
        for (const { layout } of found) {
          assert.deepEqual(
            layout.counts,
            { z: Math.ceil(size.z / core.z), y: Math.ceil(size.y / core.y), x: Math.ceil(size.x / core.x) },
            'the layout says how many cores there are',
          );
        }
      }),
      runs(100),
    ),
  );
});

test.serial('one number as a size is the size along every axis', async (t) => {
  const volume = unread({ z: 7, y: 11, x: 5 });
  const cores = async (size: number | Zyx) => (await described(volume, size)).map(({ core }) => core);
  t.deepEqual(await cores(4), await cores({ z: 4, y: 4, x: 4 }));
});

test.serial('a block reads its core and the halo of its chain, clipped to the volume, each voxel once', async (t) => {
  const reached = { clipped: 0, inside: 0, smallerThanVolume: 0 };
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(
        volumeRecipes({ least: 2, most: 22 }),
        chainRecipes(),
        coreSizes(8),
        engineRecipes(),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        async (recipe, chainRecipe, coreSize, engine, which) => {
          const { drawn, chain } = caseOf(recipe, chainRecipe);
          const { size } = drawn;
          const core = coreFor(coreSize, size);
          const index = Math.floor(which * blockCount(core, size));
          const volume = new RecordingVolume(inMemory(drawn), { delay: delayOf(engine) });
          const { progress } = await detect(volume, chain, {
            core,
            options: optionsFor(engine),
            arrange: filter((block) => block.index === index),
          });

          const plans =
            (await lastValueFrom(asked(blocks(volume, { size: core }), chain).pipe(toArray())))[0]?.plans ?? [];
          const declared = plans.reduce((halo, plan) => add(halo, plan.halo), none);
          const allowed = haloOf(chain);
          for (const side of ['before', 'after'] as const)
            for (const axis of AXES)
              assert.ok(declared[side][axis] <= allowed[side][axis], `the halo ${side} along ${axis}`);

          const wanted = grow(coreAt(index, core, size), declared, size);
          const times = coverage(volume.regions, size);
          const once = coverage([wanted], size);
          assert.deepEqual(times, once, 'a voxel was read that is not needed, or twice, or was not read');
          assert.equal(progress.bytesRead, volume.bytesRead, 'the bytes that progress tells of');
          assert.equal(volume.bytesRead, bytesPerVoxel[volume.dtype] * voxelCount(wanted));

          const unclipped = { start: minus(coreAt(index, core, size).start, declared.before), stop: wanted.stop };
          if (AXES.some((axis) => unclipped.start[axis] < 0)) reached.clipped += 1;
          else reached.inside += 1;
          if (voxelCount(wanted) < drawn.data.length) reached.smallerThanVolume += 1;
        },
      ),
      runs(150),
    ),
  );
  for (const [what, times] of Object.entries(reached)) t.true(times > 0, `no drawn case was ${what}`);
});

test.serial(
  'an overlap makes neighbouring blocks read at least that much in common, where the volume has it',
  async (t) => {
    const reached = { wider: 0, clipped: 0 };
    await t.notThrowsAsync(
      fc.assert(
        fc.asyncProperty(
          volumeRecipes({ least: 4, most: 20 }),
          chainRecipes(),
          coreSizes(6),
          coreSizes(8),
          fc.constantFrom(...AXES),
          fc.nat(1000),
          async (recipe, chainRecipe, coreSize, overlap, axis, which) => {
            const { drawn, chain } = caseOf(recipe, chainRecipe);
            const { size } = drawn;
            const core = coreFor(coreSize, size);
            const counts = zyx((a) => Math.ceil(size[a] / core[a]));
            fc.pre(counts[axis] > 1);
            const step = { z: counts.y * counts.x, y: counts.x, x: 1 }[axis];
            const at = zyx((a) => which % (counts[a] - (a === axis ? 1 : 0)));
            const first = (at.z * counts.y + at.y) * counts.x + at.x;
            const [before, behind] = await Promise.all(
              [first, first + step].map(async (index) => {
                const volume = new RecordingVolume(inMemory(drawn));
                await detect(volume, chain, {
                  core,
                  layout: { overlap },
                  arrange: filter((block) => block.index === index),
                });
                return {
                  start: Math.min(...volume.regions.map(({ start }) => start[axis])),
                  stop: Math.max(...volume.regions.map(({ stop }) => stop[axis])),
                };
              }),
            );
            if (!before || !behind) throw new Error('both blocks have read');
            const clipped = before.stop === size[axis] || behind.start === 0;
            const common = before.stop - behind.start;
            assert.ok(common >= overlap[axis] || clipped, `${common} voxels in common along ${axis}`);
            if (clipped) reached.clipped += 1;
            const halo = haloOf(chain);
            if (!clipped && overlap[axis] > halo.before[axis] + halo.after[axis]) reached.wider += 1;
          },
        ),
        runs(80),
      ),
    );
    for (const [what, times] of Object.entries(reached)) t.true(times > 0, `no drawn case was ${what}`);
  },
);

test.serial('a whole run reads no more than the core and halo of each block', async (t) => {
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(
        volumeRecipes({ least: 2, most: 20 }),
        chainRecipes(),
        coreSizes(8),
        engineRecipes(),
        async (recipe, chainRecipe, coreSize, engine) => {
          const { drawn, chain } = caseOf(recipe, chainRecipe);
          const { size } = drawn;
          const core = coreFor(coreSize, size);
          const volume = new RecordingVolume(inMemory(drawn), { delay: delayOf(engine) });
          const { progress } = await detect(volume, chain, { core, options: optionsFor(engine) });

          const allowed = Array.from({ length: blockCount(core, size) }, (_, index) =>
            grow(coreAt(index, core, size), haloOf(chain), size),
          );
          const most = allowed.reduce((bytes, region) => bytes + bytesPerVoxel[volume.dtype] * voxelCount(region), 0);
          assert.ok(volume.bytesRead <= most, `${volume.bytesRead} bytes read, ${most} are core and halo`);
          assert.equal(progress.bytesRead, volume.bytesRead);
          assert.equal(progress.voxels, drawn.data.length);
          assert.equal(progress.blocks, allowed.length);
          assert.equal(progress.blocksKnown, allowed.length);
          for (const region of volume.regions)
            assert.ok(
              allowed.some((one) => contains(one, region)),
              'a read is inside the core and halo of a block',
            );
          assert.ok(
            coverage(volume.regions, size).every((times) => times > 0),
            'every voxel is read',
          );
        },
      ),
      runs(60),
    ),
  );
});

test.serial(
  'voxels() of a block reads its core and the halo up to the step asked for, and gives a fresh copy',
  async (t) => {
    const data = Uint16Array.from({ length: 6 * 20 * 20 }, (_, at) => (at * 7919) % 1000);
    const size = { z: 6, y: 20, x: 20 };
    const volume = new RecordingVolume(arrayVolume(data, size));
    const chain: Chain = {
      removeBackground: { size: { y: 3, x: 4 } },
      maxima: { size: { z: 3, y: 3, x: 3 }, threshold: 0 },
      shape: { threshold: 10 },
      measure: ['source'],
    };
    const found = await lastValueFrom(asked(blocks(volume, { size: { z: 2, y: 6, x: 7 } }), chain).pipe(toArray()));
    const block = found[9] as Block<'source'>;
    const first = await block.voxels('source');
    const wanted = [...first];
    t.deepEqual(coverage(volume.regions, size), coverage([block.core], size));
    first.fill(0);
    t.deepEqual([...(await block.voxels('source'))], wanted, 'what a caller writes into its copy stays its own');
    t.deepEqual([...data.filter((_, at) => coverage([block.core], size)[at] === 1)], wanted);
  },
);

test.serial('describing blocks reads nothing and emits all of a known depth at once', (t) => {
  const volume = unread({ z: 4000, y: 5000, x: 5000 });
  let count = 0;
  let complete = false;
  blocks(volume).subscribe({
    next: () => {
      count += 1;
    },
    complete: () => {
      complete = true;
    },
  });
  t.true(count > 0);
  t.true(complete);
});

test.serial(
  'the default layout never cuts a chunk of the source, and keeps cores at 256 Mvoxel or at one chunk',
  async (t) => {
    const sizes: { size: Zyx; chunks?: Zyx }[] = [
      { size: { z: 4000, y: 5000, x: 5000 } },
      { size: { z: 4000, y: 5000, x: 5000 }, chunks: { z: 64, y: 512, x: 512 } },
      { size: { z: 300, y: 2048, x: 2048 }, chunks: { z: 1, y: 2048, x: 2048 } },
      { size: { z: 40, y: 30000, x: 20000 }, chunks: { z: 1, y: 30000, x: 20000 } },
      { size: { z: 1000, y: 3000, x: 4000 }, chunks: { z: 100, y: 100, x: 100 } },
      { size: { z: 1, y: 1, x: 1 } },
      { size: { z: 30, y: 256, x: 256 }, chunks: { z: 1, y: 256, x: 256 } },
    ];
    for (const { size, chunks } of sizes) {
      const found = await described(unread(size, chunks ? { chunks } : {}));
      const name = JSON.stringify({ size, chunks });
      const covered = found.reduce((voxels, { core }) => voxels + voxelCount(core), 0);
      t.is(covered, size.z * size.y * size.x, name);
      for (const { core, index, layout } of found) {
        t.deepEqual(core, coreAt(index, layout.coreSize, size), name);
        t.true(voxelCount(core) <= Math.max(256 * 2 ** 20, chunks ? chunks.z * chunks.y * chunks.x : 0), name);
      }
      if (chunks)
        for (const { core } of found)
          for (const axis of AXES) {
            t.is(core.start[axis] % chunks[axis], 0, `${name}: a chunk is cut along ${axis}`);
            t.true(core.stop[axis] % chunks[axis] === 0 || core.stop[axis] === size[axis], name);
          }
    }
  },
);

test.serial('the default layout of a source of planes is slabs of whole planes', async (t) => {
  const size = { z: 300, y: 2048, x: 2048 };
  for (const { core } of await described(unread(size, { chunks: { z: 1, y: size.y, x: size.x } }))) {
    const { y, x } = extent(core);
    t.deepEqual({ y, x }, { y: size.y, x: size.x });
  }
});

test.serial('the default layout cuts large planes into bands of about 1 Mvoxel, or of 256 whole rows', async (t) => {
  for (const [plane, core] of [
    [
      { y: 2048, x: 2048 },
      { z: 256, y: 512, x: 2048 },
    ],
    [
      { y: 9000, x: 10_000 },
      { z: 104, y: 256, x: 10_000 },
    ],
    [
      { y: 9000, x: 40_000 },
      { z: 64, y: 256, x: 16_384 },
    ],
    [
      { y: 900, x: 1000 },
      { z: 298, y: 900, x: 1000 },
    ],
  ] as const) {
    const [first] = await described(unread({ z: 600, ...plane }));
    t.deepEqual(first?.layout.coreSize, core);
  }
});

const none: Halo = { before: { z: 0, y: 0, x: 0 }, after: { z: 0, y: 0, x: 0 } };

function add(a: Halo, b: Halo): Halo {
  const sum = (p: Zyx, q: Zyx) => ({ z: p.z + q.z, y: p.y + q.y, x: p.x + q.x });
  return { before: sum(a.before, b.before), after: sum(a.after, b.after) };
}

function minus(a: Zyx, b: Zyx): Zyx {
  return { z: a.z - b.z, y: a.y - b.y, x: a.x - b.x };
}
