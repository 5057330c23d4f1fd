/** Blocks of several volumes, merged into one run. */
import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { concat, delay, from, lastValueFrom, merge, type Observable, tap, toArray } from 'rxjs';
import {
  type Block,
  BlockError,
  Budget,
  blocks,
  branch,
  type CellBatch,
  type CellsOptions,
  cells,
  LayoutError,
  maxima,
  type Progress,
  type Volume,
  type Zyx,
} from '../index.js';
import { leastImageBytes } from './support/budgets.js';
import { asked, type Found, gather, rowsOf } from './support/detect.js';
import { sometimes } from './support/layoutCases.js';
import { blockCount, coreFor, coreSizes } from './support/layouts.js';
import { drawMask, keptBy, maskRecipes } from './support/limits.js';
import { type Chain, naive, rowsInLayout } from './support/naive.js';
import { random, runs } from './support/random.js';
import { AMPLE_BYTES, chainFor, chainRecipes, delayOf, engineRecipes, optionsFor } from './support/recipes.js';
import { RecordingVolume } from './support/recordingVolume.js';
import { ample, chain, clean, core, drawn, expected, onlyLastIsLast, volumeOf } from './support/stream.js';
import { tally } from './support/tally.js';
import { type Drawn, drawVolume, inMemory, volumeRecipes } from './support/volumes.js';
import { settled, until } from './support/waiting.js';

/** `cells()` with a column that tells the volumes apart, asked for or not. */
type Options = CellsOptions;

type Blocks = Observable<Block<'source'>>;

function run(from: Blocks, chain: Chain, options: Options = {}): Promise<Found> {
  return gather((progress) => asked(from, chain).pipe(cells({ ...options, progress })));
}

/** All blocks of several streams, each stream in its order, mixed by a seed. */
async function mixed(streams: readonly Blocks[], seed: number): Promise<Block<'source'>[]> {
  const left = await Promise.all(streams.map((stream) => lastValueFrom(stream.pipe(toArray()))));
  const next = random(seed);
  const all: Block<'source'>[] = [];
  for (let open = left; open.length > 0; open = open.filter((queue) => queue.length > 0)) {
    const queue = open[Math.floor(next() * open.length)] as Block<'source'>[];
    all.push(queue.shift() as Block<'source'>);
  }
  return all;
}

/** The rows of each volume without the column that says so, and what that column says. */
function byVolume(batches: readonly CellBatch[]): { rows: Map<string, number[][]>; numbers: Map<string, Set<number>> } {
  const rows = new Map<string, number[][]>();
  const numbers = new Map<string, Set<number>>();
  for (const { volumeId, cells } of batches) {
    assert.equal(cells.names.at(-1), 'volume');
    for (const row of rowsOf(cells)) {
      rows.set(volumeId, [...(rows.get(volumeId) ?? []), row.slice(0, -1)]);
      numbers.set(volumeId, (numbers.get(volumeId) ?? new Set()).add(row.at(-1) as number));
    }
  }
  return { rows, numbers };
}

test.serial(
  'merged volumes give the rows that each gives alone, in its own order, with the number of the volume',
  async (t) => {
    const reached = tally();
    await t.notThrowsAsync(
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(volumeRecipes({ least: 1, most: 16 }), coreSizes(8), sometimes(maskRecipes())), {
            minLength: 2,
            maxLength: 3,
          }),
          chainRecipes(),
          engineRecipes(),
          fc.oneof(fc.constant(null), fc.nat(1000)),
          fc.boolean(),
          async (recipes, chainRecipe, engine, seed, anyOrder) => {
            const parts = recipes.map(([recipe, coreSize, maskRecipe]) => {
              const drawn = drawVolume(recipe);
              const mask = maskRecipe && drawMask(maskRecipe, drawn.size);
              return { drawn, mask, core: coreFor(coreSize, drawn.size, 60) };
            });
            const chain = chainFor(chainRecipe, (parts[0] as { drawn: Drawn }).drawn);
            const volumes = parts.map(
              ({ drawn }, at) => new RecordingVolume(inMemory(drawn, `volume ${at}`), { delay: delayOf(engine) }),
            );
            const streams = parts.map(({ core, mask }, at) =>
              blocks(volumes[at] as Volume, { size: core, ...(mask && { mask: inMemory(mask, 'tissue') }) }),
            );
            const all = seed === null ? concat(...streams) : from(await mixed(streams, seed));
            const arrived = [...new Set((await lastValueFrom(all.pipe(toArray()))).map(({ volume }) => volume.id))];
            const options = optionsFor(engine);
            const { batches, names, progress } = await run(all, chain, {
              ...options,
              ...(anyOrder ? { order: 'any' } : {}),
            });

            assert.deepEqual(names, ['x', 'y', 'z', 'size', ...chain.measure, 'volume']);
            onlyLastIsLast(batches);
            const { rows, numbers } = byVolume(batches);
            for (const [at, { drawn, mask, core }] of parts.entries()) {
              const id = `volume ${at}`;
              const alone = rowsInLayout(naive(drawn, chain, keptBy(mask, null, drawn.size)), core, drawn.size);
              assert.deepEqual(rows.get(id) ?? [], alone, id);
              assert.deepEqual([...(numbers.get(id) ?? [])], alone.length > 0 ? [arrived.indexOf(id)] : []);
              reached.seen('cells of a later volume', at > 0 && alone.length > 0);
              reached.seen('a volume without cells', alone.length === 0);
              reached.seen('a mask of a volume with cells', mask !== null && alone.length > 0);
              reached.seen(
                'an empty mask',
                mask?.data.every((value) => value === 0),
              );
            }
            const delivered = batches.filter(({ cells }) => cells.count > 0).map(({ volumeId }) => volumeId);
            const turns = delivered.filter((id, at) => id !== delivered[at - 1]);
            const inTurn = arrived.filter((id) => rows.has(id));
            if (seed === null) assert.deepEqual(turns, inTurn, 'volumes one after another are delivered so');
            assert.equal(progress.cells, [...rows.values()].flat().length);
            const masks = parts.filter(({ mask }) => mask !== null).length;
            // What is read of masks counts too.
            const bytes = volumes.reduce((sum, volume) => sum + volume.bytesRead, 0);
            assert.ok(masks > 0 ? progress.bytesRead >= bytes : progress.bytesRead === bytes);
            assert.equal(options.memory?.liveBytes ?? 0, 0);
            reached.seen('masks of some volumes', masks > 0 && masks < parts.length);
            reached.seen('one after another', seed === null);
            reached.seen('interleaved', seed !== null && arrived.length > 1);
            reached.seen('another one first', arrived[0] !== 'volume 0');
            reached.seen('blocks in any order', anyOrder);
            reached.seen('spilled', progress.spilledBytes > 0);
            reached.seen('several types', new Set(volumes.map(({ dtype }) => dtype)).size > 1);
            reached.seen('joined', progress.seams > 0);
          },
        ),
        runs(120),
      ),
    );
    t.deepEqual(
      reached.missing([
        'cells of a later volume',
        'a volume without cells',
        'a mask of a volume with cells',
        'an empty mask',
        'masks of some volumes',
        'one after another',
        'interleaved',
        'another one first',
        'blocks in any order',
        'spilled',
        'several types',
        'joined',
      ]),
      [],
    );
  },
);

/** A smaller volume of another type, with cells above the same threshold. */
const other: Drawn = drawVolume({
  kind: 'beads',
  size: { z: 9, y: 13, x: 15 },
  seed: 5,
  levels: 3,
  values: 'sevenths',
});
const otherCore: Zyx = { z: 3, y: 5, x: 15 };
const lower: Chain = { ...chain, maxima: { ...chain.maxima, threshold: 60 }, shape: { threshold: 80 } };
const both = () => {
  const volumes = [volumeOf(), new RecordingVolume(inMemory(other, 'other'))] as const;
  const streams = [blocks(volumes[0], { size: core }), blocks(volumes[1], { size: otherCore })] as const;
  return { volumes, streams };
};

test.serial('one volume has the column of its number only where it is asked for', async (t) => {
  const alone = await run(blocks(volumeOf(), { size: core }), chain);
  t.deepEqual(alone.rows, expected);
  t.deepEqual(alone.names, ['x', 'y', 'z', 'size', ...chain.measure]);
  const numbered = await run(blocks(volumeOf(), { size: core }), chain, { columns: ['volume'] });
  t.deepEqual(numbered.names, [...alone.names, 'volume']);
  t.deepEqual(
    numbered.rows,
    expected.map((row) => [...row, 0]),
  );
  t.true(numbered.batches[0]?.cells.column('volume') instanceof Int32Array);
});

test.serial('a volume that comes later is refused, unless the column was asked for', async (t) => {
  const late = () => {
    const { streams } = both();
    return merge(streams[0], streams[1].pipe(delay(20)));
  };
  const budget = ample();
  await t.throwsAsync(run(late(), lower, { memory: budget }), { instanceOf: LayoutError });
  await clean(t, budget);
  const { batches } = await run(late(), lower, { columns: ['volume'] });
  const { rows } = byVolume(batches);
  t.deepEqual(rows.get('other'), rowsInLayout(naive(other, lower), otherCore, other.size));
  t.true((rows.get('other')?.length ?? 0) > 5);
  t.is([...rows.keys()].length, 2);
});

test.serial('merged volumes share one budget that is enough for the larger of them', async (t) => {
  const sparseBytes = 2 ** 20;
  const options = { threads: 2 };
  const least = await Promise.all([
    leastImageBytes(drawn, lower, core, sparseBytes, options),
    leastImageBytes(other, lower, otherCore, sparseBytes, options),
  ]);
  t.not(least[0], least[1]);
  const budget = new Budget({ imageBytes: Math.max(...least), sparseBytes });
  let most = 0;
  const { streams } = both();
  const pipeline = asked(from(await mixed(streams, 3)), lower);
  const { batches } = await gather((told) =>
    pipeline.pipe(
      cells({
        ...options,
        memory: budget,
        progress: {
          next: (progress) => {
            most = Math.max(most, budget.liveBytes);
            told.next(progress);
          },
        },
      }),
    ),
  );
  const { rows } = byVolume(batches);
  t.is([...rows.values()].flat().length, naive(drawn, lower).cells.length + naive(other, lower).cells.length);
  t.true(most > 0 && most <= budget.totalBytes);
  await clean(t, budget);
});

test.serial('an error of one volume ends the run of all, and names that volume', async (t) => {
  for (const order of ['one after another', 'mixed']) {
    const budget = new Budget({ imageBytes: AMPLE_BYTES, sparseBytes: 2 ** 20 });
    const broken = new RecordingVolume(inMemory(other, 'broken'), {
      failure: { read: 3, error: new Error('the disk is gone') },
    });
    const streams = [blocks(volumeOf(), { size: core }), blocks(broken, { size: otherCore })];
    const all = order === 'mixed' ? from(await mixed(streams, 8)) : concat(...streams);
    const error = await t.throwsAsync(run(all, lower, { memory: budget }), { instanceOf: BlockError });
    t.is((error as BlockError).volumeId, 'broken');
    await clean(t, budget);
  }
});

test.serial(
  'blocks that come again amid those of another volume are ignored, and those of another layout refused',
  async (t) => {
    const { streams } = both();
    const { batches } = await run(concat(streams[0], streams[1], streams[0]), lower);
    const { rows } = byVolume(batches);
    t.deepEqual([...rows.values()][0], rowsInLayout(naive(drawn, lower), core, drawn.size));
    t.deepEqual(rows.get('other'), rowsInLayout(naive(other, lower), otherCore, other.size));

    const { volumes } = both();
    const again = blocks(volumes[1], { size: { z: 4, y: 4, x: 4 } });
    const budget = ample();
    await t.throwsAsync(
      run(concat(blocks(volumes[0]), blocks(volumes[1], { size: otherCore }), again), lower, { memory: budget }),
      {
        instanceOf: LayoutError,
      },
    );
    await clean(t, budget);
  },
);

test.serial('volumes whose tables have other columns or branches are refused', async (t) => {
  const others = {
    'other columns': asked(blocks(volumeOf()), { ...chain, measure: ['dog', 'background'] }),
    branches: blocks(volumeOf()).pipe(branch({ a: maxima(), b: maxima() })),
  };
  for (const [what, other] of Object.entries(others)) {
    const budget = ample();
    const first = asked(blocks(volumeOf()), chain);
    const merged = concat(first, other as unknown as typeof first);
    const error = await t.throwsAsync(lastValueFrom(merged.pipe(cells({ memory: budget }))), {
      instanceOf: LayoutError,
    });
    t.regex(error.message, /expected tables of x, y, z, size, source, background, got/, what);
    await clean(t, budget);
  }
});

test.serial(
  'a volume whose blocks came after those of another is delivered after it, though it ends first',
  async (t) => {
    const slow = new RecordingVolume(inMemory(drawn, 'slow'), { hangFrom: 0 });
    const quick = new RecordingVolume(inMemory(other, 'quick'));
    let finished = 0;
    const stream = asked(concat(blocks(slow), blocks(quick, { size: otherCore })), lower);
    const progress = {
      next: ({ blocks: ended }: Progress) => {
        finished = ended;
      },
    };
    const batches: CellBatch[] = [];
    const done = lastValueFrom(
      stream.pipe(
        cells({ threads: 4, progress }),
        tap((batch) => void batches.push(batch)),
      ),
    );
    await until('the second volume has been searched', () => finished === blockCount(otherCore, other.size));
    await settled(() => batches.length, 50);
    const early = batches.map(({ volumeId }) => volumeId);
    slow.letGo();
    await done;
    t.deepEqual(early, []);
    const order = batches.filter((batch) => batch.cells.count > 0).map(({ volumeId }) => volumeId);
    t.is(order[0], 'slow');
    t.is(order.at(-1), 'quick');
  },
);
