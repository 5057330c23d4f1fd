import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { from, mergeMap, toArray } from 'rxjs';
import {
  type ChainRecipe,
  caseOf,
  chainRecipes,
  delayOf,
  detect,
  type EngineRecipe,
  engineRecipes,
  optionsFor,
  sorted,
  targets,
} from './support/detect.js';
import { coreFor, coreSizes } from './support/layouts.js';
import { naive, rowsInLayout, seamsInLayout } from './support/naive.js';
import { runs, shuffled } from './support/random.js';
import { RecordingVolume } from './support/recordingVolume.js';
import { inMemory, type VolumeRecipe, volumeKinds, volumeRecipes } from './support/volumes.js';

/** Everything that makes a case: printed whole when it fails, to be kept below as a plain test. */
interface Case {
  readonly volume: VolumeRecipe;
  readonly chain: ChainRecipe;
  readonly core: { readonly z: number; readonly y: number; readonly x: number };
  readonly engine: EngineRecipe;
  /** Seed of the order in which the blocks come, with `order: 'any'`; null keeps block order. */
  readonly arrival: number | null;
}

const cases: fc.Arbitrary<Case> = fc.record({
  volume: volumeRecipes(),
  chain: chainRecipes(),
  core: coreSizes(),
  engine: engineRecipes(),
  arrival: fc.oneof({ weight: 2, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat(1000) }),
});

/** Runs a case and says what is wrong with it, or nothing; `seen` is told what the case reached. */
async function problemsOf(drawnCase: Case, seen: (what: string) => void = () => {}): Promise<Record<string, unknown>> {
  const { engine, arrival } = drawnCase;
  const { drawn, chain } = caseOf(drawnCase.volume, drawnCase.chain);
  const core = coreFor(drawnCase.core, drawn.size, 210);
  const volume = new RecordingVolume(inMemory(drawn), { delay: delayOf(engine) });
  const options = optionsFor(engine);

  const split = await detect(volume, chain, {
    core,
    options: arrival === null ? options : { ...options, order: 'any' },
    ...(arrival === null
      ? {}
      : {
          arrange: (blocks) =>
            blocks.pipe(
              toArray(),
              mergeMap((all) => from(shuffled(all, arrival))),
            ),
        }),
  });
  const whole = await detect(drawn, chain, { core: drawn.size, options: { threads: 1, target: 'portable' } });
  const truth = naive(drawn, chain);
  const expected = rowsInLayout(truth, core, drawn.size);
  const seams = seamsInLayout(truth, core, drawn.size);

  for (const touched of Object.keys(split.progress.seamsByCores)) seen(`across ${touched} cores`);
  if (split.progress.spilledBytes > 0) seen('spilled');
  if (engine.threads > 1) seen('many threads');
  if (engine.delays.some((turns) => turns > 0)) seen('reads ending out of order');
  if (arrival !== null) seen('blocks in any order');
  if (drawnCase.chain.removeBackground !== null) seen('background removed');
  if (chain.measure.includes('dog')) seen('a skipped step measured');
  if (expected.length > 1) seen('many cells');
  if (expected.length === 0) seen('no cells');
  if (split.batches.filter(({ cells }) => cells.count > 0).length > 1) seen('cells in many batches');
  seen(split.progress.target);
  seen(drawnCase.volume.kind);

  const wrong: Record<string, unknown> = {};
  const compare = (what: string, found: unknown, right: unknown) => {
    if (JSON.stringify(found) !== JSON.stringify(right)) wrong[what] = { found, right };
  };
  compare('columns', split.names, truth.names);
  compare('cells of one block', whole.rows, sorted(expected));
  compare('cells', sorted(split.rows), sorted(expected));
  compare('order of rows', arrival === null ? split.rows : [], arrival === null ? expected : []);
  compare('seams by cores', split.progress.seamsByCores, seams);
  compare('threads', split.progress.threads, engine.threads);
  compare('target', split.progress.target, engine.target);
  compare('bytes that a budget keeps', options.memory?.liveBytes ?? 0, 0);
  return wrong;
}

/** Counts what a property reached, and fails for what it never did. */
function tally(): { seen: (what: string) => void; missing: (wanted: readonly string[]) => string[] } {
  const counts = new Map<string, number>();
  return {
    seen: (what) => counts.set(what, (counts.get(what) ?? 0) + 1),
    missing: (wanted) => wanted.filter((what) => !counts.has(what)),
  };
}

test.serial('cells are the same for every layout, thread count, budget and CPU target', async (t) => {
  const reached = tally();
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(cases, async (drawnCase) => {
        assert.deepEqual(await problemsOf(drawnCase, reached.seen), {});
      }),
      runs(500),
    ),
  );
  t.deepEqual(
    reached.missing([
      'across 2 cores',
      'across 3 cores',
      'across 8 cores',
      'spilled',
      'many threads',
      'reads ending out of order',
      'blocks in any order',
      'background removed',
      'a skipped step measured',
      'many cells',
      'no cells',
      'cells in many batches',
      ...targets,
      ...volumeKinds,
    ]),
    [],
  );
});

/** Cases that were drawn once and failed. */
const kept: Record<string, Case> = {
  'noise of three levels, little sparse memory': {
    volume: { kind: 'noise', size: { z: 4, y: 8, x: 8 }, seed: 0, levels: 2 },
    chain: {
      removeBackground: null,
      window: { z: 2, y: 1, x: 2 },
      seedsAbove: 0,
      maskAbove: 0,
      offset: 0,
      measure: ['source'],
    },
    core: { z: 3, y: 8, x: 2 },
    engine: { threads: 1, target: 'portable', sparseBytes: 20_000, delays: [] },
    arrival: null,
  },
  'an even window and cores of one plane, blocks in any order': {
    volume: { kind: 'noise', size: { z: 8, y: 9, x: 8 }, seed: 0, levels: 1 },
    chain: {
      removeBackground: { size: { y: 2, x: 1 } },
      window: { z: 1, y: 4, x: 1 },
      seedsAbove: 0,
      maskAbove: 0,
      offset: 0,
      measure: ['dog'],
    },
    core: { z: 1, y: 4, x: 1 },
    engine: { threads: 1, target: 'portable', sparseBytes: null, delays: [] },
    arrival: 0,
  },
};

for (const [what, failed] of Object.entries(kept))
  test.serial(`cells are the same for a layout once drawn: ${what}`, async (t) => {
    t.deepEqual(await problemsOf(failed), {});
  });

for (const kind of volumeKinds)
  test.serial(`cells are the same where every voxel is a block of its own: ${kind}`, async (t) => {
    for (const arrival of [null, 1])
      t.deepEqual(
        await problemsOf({
          volume: { kind, size: { z: 5, y: 6, x: 7 }, seed: 40, levels: 2 },
          chain: {
            removeBackground: null,
            window: { z: 3, y: 3, x: 3 },
            seedsAbove: 0,
            maskAbove: 0.3,
            offset: -0.5,
            measure: ['dog', 'source'],
          },
          core: { z: 1, y: 1, x: 1 },
          engine: { threads: 8, target: targets.at(-1) ?? 'portable', sparseBytes: 16_384, delays: [3, 0, 5, 1] },
          arrival,
        }),
        {},
      );
  });

test.serial(
  'a layout gives the same rows in the same order for every thread count, budget, target and order of completion',
  async (t) => {
    const reached = tally();
    const kinds = ['blobs', 'beads', 'comb', 'serpentine', 'boxes', 'noise'] as const;
    await t.notThrowsAsync(
      fc.assert(
        fc.asyncProperty(
          volumeRecipes({ kinds, least: 4, most: 18 }),
          chainRecipes(),
          coreSizes(8),
          fc.array(engineRecipes(), { minLength: 2, maxLength: 3 }),
          async (recipe, chainRecipe, coreSize, engines) => {
            const { drawn, chain } = caseOf(recipe, chainRecipe);
            const core = coreFor(coreSize, drawn.size);
            const found: unknown[] = [];
            for (const engine of engines) {
              const volume = new RecordingVolume(inMemory(drawn), { delay: delayOf(engine) });
              const { rows, batches, progress } = await detect(volume, chain, { core, options: optionsFor(engine) });
              if (progress.spilledBytes > 0) reached.seen('spilled');
              if (batches.some(({ open }) => open.length > 0)) reached.seen('open components');
              if (batches.some(({ cells }) => cells.count > 0)) reached.seen('cells');
              found.push({ rows, finalTo: batches.at(-1)?.finalTo });
            }
            for (const other of found.slice(1)) assert.deepEqual(other, found[0]);
          },
        ),
        runs(60),
      ),
    );
    t.deepEqual(reached.missing(['spilled', 'open components', 'cells']), []);
  },
);
