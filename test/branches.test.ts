/** One pass over a volume, and a table for each of several chains. */
import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import type { Observable } from 'rxjs';
import { extent } from '../core/geometry.js';
import { asStep } from '../core/step.js';
import { type Block, blocks, branch, cells, OptionError, type StepPlan } from '../index.js';
import { asked, detect, gather, stepsOf, tablesOf } from './support/detect.js';
import { sometimes } from './support/layoutCases.js';
import { coreFor, coreSizes } from './support/layouts.js';
import { drawMask, drawRegion, keptBy, maskRecipes, regionRecipes } from './support/limits.js';
import { type Chain, naive, rowsInLayout } from './support/naive.js';
import { runs } from './support/random.js';
import { type ChainRecipe, chainFor, chainRecipes, delayOf, engineRecipes, optionsFor } from './support/recipes.js';
import { RecordingVolume } from './support/recordingVolume.js';
import { ample, chain, clean, core, expected, volumeOf } from './support/stream.js';
import { tally } from './support/tally.js';
import { drawVolume, inMemory, volumeRecipes } from './support/volumes.js';

/** How many of background, maxima, shape and intensity come before the branching, done once, and how many after it. */
interface Trunk {
  readonly before: 0 | 1 | 2 | 3;
  readonly after: 0 | 1;
}

/** The plans of each of the four steps. */
function slotsOf(chain: Chain): readonly (readonly StepPlan[])[] {
  const { plans } = stepsOf(chain);
  const opening = plans.length - 3;
  return [plans.slice(0, opening), ...plans.slice(opening).map((plan) => [plan])];
}

/** A pipeline that divides into these chains, which have the steps of the trunk in common. */
function divided(from: Observable<Block<'source'>>, chains: Readonly<Record<string, Chain>>, { before, after }: Trunk) {
  const [first] = Object.values(chains).map(slotsOf) as [ReturnType<typeof slotsOf>];
  const own = Object.entries(chains).map(([name, chain]) => {
    const plans = slotsOf(chain)
      .slice(before, 4 - after)
      .flat();
    return [name, asStep<'source', 'maxima' | 'shape' | 'intensity'>(plans)] as const;
  });
  return from.pipe(
    asStep<'source', never>(first.slice(0, before).flat()),
    branch(Object.fromEntries(own)),
    asStep<never, never>(first.slice(4 - after).flat()),
  );
}

const trunks: fc.Arbitrary<Trunk> = fc.constantFrom<Trunk>(
  { before: 0, after: 0 },
  { before: 0, after: 1 },
  { before: 1, after: 0 },
  { before: 1, after: 1 },
  { before: 2, after: 0 },
  { before: 2, after: 1 },
  { before: 3, after: 0 },
);

/** Chains that differ in their own steps only. */
function withTrunk(recipes: readonly ChainRecipe[], { before, after }: Trunk): ChainRecipe[] {
  const [first] = recipes as [ChainRecipe];
  return recipes.map((own) => ({
    ...own,
    offset: first.offset,
    ...(before > 0 ? { removeBackground: first.removeBackground } : {}),
    ...(before > 1 ? { window: first.window, plateaus: first.plateaus ?? 'first', seedsAbove: first.seedsAbove } : {}),
    ...(before > 2 ? { maskAbove: first.maskAbove } : {}),
    ...(after > 0 ? { method: first.method ?? 'max', measure: first.measure } : {}),
  }));
}

test.serial(
  'each branch gives exactly what its chain alone gives, for every layout, budget and thread count',
  async (t) => {
    const reached = tally();
    await t.notThrowsAsync(
      fc.assert(
        fc.asyncProperty(
          volumeRecipes({ least: 2, most: 18 }),
          fc.array(chainRecipes(), { minLength: 1, maxLength: 4 }),
          trunks,
          coreSizes(8),
          engineRecipes(),
          fc.record({ mask: sometimes(maskRecipes()), region: sometimes(regionRecipes()) }),
          async (recipe, chainRecipes, trunk, coreSize, engine, limits) => {
            const drawn = drawVolume(recipe);
            const recipes = withTrunk(chainRecipes, trunk);
            const chains = Object.fromEntries(recipes.map((one, at) => [`branch-${at}`, chainFor(one, drawn)]));
            const options = optionsFor(engine);
            const mask = limits.mask && drawMask(limits.mask, drawn.size);
            const region = limits.region && drawRegion(limits.region, drawn.size);
            const tiled = region ? extent(region) : drawn.size;
            const core = coreFor(coreSize, tiled);
            const volume = new RecordingVolume(inMemory(drawn), { delay: delayOf(engine) });
            const layout = { size: core, ...(mask && { mask: inMemory(mask) }), ...(region && { region }) };
            const { batches, progress } = await gather((progress) =>
              divided(blocks(volume, layout), chains, trunk).pipe(cells({ ...options, progress })),
            );

            const tables = tablesOf(batches);
            assert.deepEqual([...tables.keys()].sort(), Object.keys(chains));
            let all = 0;
            for (const [name, chain] of Object.entries(chains)) {
              const { names, rows, batches: own } = tables.get(name) as NonNullable<ReturnType<typeof tables.get>>;
              const truth = naive(drawn, chain, keptBy(mask, region, drawn.size));
              assert.deepEqual(names, truth.names);
              assert.deepEqual(rows, rowsInLayout(truth, core, tiled, region?.start), name);
              assert.deepEqual(
                own.map(({ last }) => last),
                own.map((_, at) => at === own.length - 1),
                'the last batch of a branch comes once, last',
              );
              assert.equal(own.at(-1)?.finalTo, region?.stop.z ?? drawn.size.z);
              assert.deepEqual(own.at(-1)?.open, []);
              const record = own.at(-1)?.record();
              assert.equal(record?.branch, name);
              assert.equal(record?.counts.cells, rows.length);
              all += rows.length;
              reached.seen('cells', rows.length > 0);
            }
            assert.ok(
              batches.slice(-recipes.length).every(({ last }) => last),
              'the last batches are the last of all',
            );
            assert.equal(progress.cells, all);
            assert.equal(options.memory?.liveBytes ?? 0, 0);

            reached.seen(`${recipes.length} branches`);
            reached.seen(`${trunk.before} steps before, ${trunk.after} after`);
            reached.seen('a mask', mask !== null);
            reached.seen('a region with cells', region !== null && all > 0);
            reached.seen('a mask and a region with cells', region !== null && mask !== null && all > 0);
            reached.seen('spilled', progress.spilledBytes > 0);
            const openings = new Set(
              Object.values(chains).map(({ removeBackground }) => JSON.stringify(removeBackground)),
            );
            reached.seen('a background of each branch', openings.size > 1);
            const [some] = [...tables.values()].map(({ rows }) => rows.length);
            reached.seen(
              'branches of unlike length',
              [...tables.values()].some(({ rows }) => rows.length !== some),
            );
          },
        ),
        runs(150),
      ),
    );
    t.deepEqual(
      reached.missing([
        'cells',
        'a mask',
        'a region with cells',
        'a mask and a region with cells',
        'spilled',
        'a background of each branch',
        'branches of unlike length',
        ...[1, 2, 3, 4].map((count) => `${count} branches`),
        ...['0, 0', '0, 1', '1, 0', '1, 1', '2, 0', '2, 1', '3, 0'].map((trunk) => {
          const [before, after] = trunk.split(', ');
          return `${before} steps before, ${after} after`;
        }),
      ]),
      [],
    );
  },
);

test.serial('two thresholds read each plane once: as many bytes as one of them alone', async (t) => {
  const chains: Record<string, Chain> = { low: chain, high: { ...chain, shape: { threshold: 600 } } };
  for (const before of [0, 1, 2] as const) {
    const budget = ample();
    const alone = volumeOf();
    await detect(alone, chain, { core, options: { threads: 2 } });
    const both = volumeOf();
    const { batches, progress } = await gather((progress) =>
      divided(blocks(both, { size: core }), chains, { before, after: 0 }).pipe(cells({ memory: budget, progress })),
    );
    const tables = tablesOf(batches);
    t.deepEqual(tables.get('low')?.rows, expected);
    t.true((tables.get('high')?.rows.length ?? 0) > 0);
    t.notDeepEqual(tables.get('high')?.rows, expected);
    t.is(both.bytesRead, alone.bytesRead);
    t.is(progress.bytesRead, alone.bytesRead);
    await clean(t, budget);
  }
});

test.serial('a pipeline without branches gives batches of a branch without a name', async (t) => {
  const { batches } = await gather((progress) =>
    asked(blocks(volumeOf(), { size: core }), chain).pipe(cells({ progress })),
  );
  t.deepEqual([...tablesOf(batches).keys()], ['']);
});

test.serial('a branch that cannot be run is refused with its steps, before anything is read', async (t) => {
  const volume = volumeOf();
  const [, maxima, shape] = slotsOf(chain).map((plans) => asStep<never, 'maxima'>(plans));
  if (!maxima || !shape) throw new Error('a chain has maxima and a shape');
  const error = await t.throwsAsync(
    gather(() => blocks(volume).pipe(branch({ good: maxima, bad: shape }) as typeof maxima, cells())),
    { instanceOf: OptionError },
  );
  t.regex(error?.message ?? '', /shape: its place in the pipeline/);
  t.is(volume.bytesRead, 0);
});
