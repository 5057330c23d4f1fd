/**
 * Compares the product with the reference implementation on volumes and chains drawn at random: every voxel of every image, and
 * every row, exactly but for the difference of Gaussians, which is compared as SPEC.md allows, and the cells found in it with those of
 * the truth for the very image.
 *
 *     npm run test:interop [-- --cases 60] [-- --seed 7]
 *
 * Python 3 with numpy, scipy, scikit-image and tifffile has to be there; `PYTHON` names another one than /usr/bin/python3.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import type { Zyx } from '../../core/geometry.js';
import { type FixedImage, npy } from '../../index.js';
import { detect, imagesMade, sorted } from '../support/detect.js';
import { imageProblems } from '../support/imageTruth.js';
import { coreFor, coreSizes } from '../support/layouts.js';
import { type Chain, naive } from '../support/naive.js';
import { asRead, type Images } from '../support/naiveImages.js';
import { readNpy, writeNpy } from '../support/npy.js';
import { referenceParameters } from '../support/parameters.js';
import { inProject } from '../support/paths.js';
import {
  anyChainRecipes,
  type ChainRecipe,
  caseOf,
  type EngineRecipe,
  engineRecipes,
  optionsFor,
} from '../support/recipes.js';
import { readTable } from '../support/table.js';
import { type VolumeRecipe, volumeRecipes } from '../support/volumes.js';

interface Recipe {
  readonly volume: VolumeRecipe;
  readonly chain: ChainRecipe;
  readonly core: Zyx;
  readonly engine: EngineRecipe;
}

const PYTHON = process.env.PYTHON ?? '/usr/bin/python3';

const { values } = parseArgs({
  options: { cases: { type: 'string', default: '60' }, seed: { type: 'string', default: String(Date.now() % 1e6) } },
});
const seed = Number(values.seed);
const recipes: Recipe[] = fc.sample(
  fc.record({
    volume: volumeRecipes({ least: 1, most: 28 }),
    chain: anyChainRecipes().map(interpolated).map(withoutUsers),
    core: coreSizes(),
    engine: engineRecipes(),
  }),
  { numRuns: Number(values.cases), seed },
);

const folder = await mkdtemp(join(tmpdir(), 'somaflow-interop-'));
try {
  const cases = await Promise.all(recipes.map((recipe, index) => prepare(recipe, join(folder, String(index)))));
  await refer(cases.map(({ path }) => path));
  let different = 0;
  let rows = 0;
  for (const one of cases) {
    const count = await compare(one).catch((error: unknown) => {
      console.error(`${JSON.stringify(one.recipe)}: ${error instanceof Error ? error.message : error}`);
      return undefined;
    });
    if (count === undefined) different++;
    else rows += count;
  }
  const kinds = new Set(recipes.map(({ volume }) => volume.kind)).size;
  console.log(
    `${cases.length} volumes of ${kinds} kinds, seed ${seed}: ${rows} rows equal to the reference's, ` +
      `${different} volumes differ`,
  );
  if (different > 0 || rows === 0) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** The reference knows no steps and measures of users. */
function withoutUsers(chain: ChainRecipe): ChainRecipe {
  return { ...chain, smooth: null, near: null, own: null };
}

/** The reference interpolates linearly. */
function interpolated(chain: ChainRecipe): ChainRecipe {
  return chain.equalize ? { ...chain, equalize: { ...chain.equalize, interpolate: 1 } } : chain;
}

/** Lays out what the reference reads: a folder with the volume and the parameters. */
async function prepare(recipe: Recipe, path: string) {
  await mkdir(path);
  const { drawn, chain } = caseOf(recipe.volume, recipe.chain);
  await writeNpy(join(path, 'volume.npy'), drawn);
  await writeFile(join(path, 'parameters.json'), JSON.stringify(referenceParameters(chain)));
  return { path, recipe, drawn, chain };
}

/** Runs the reference on the folders, as many Python processes at a time as there are cores. */
async function refer(paths: readonly string[]): Promise<void> {
  const width = availableParallelism();
  const shares = Array.from({ length: width }, (_, worker) => paths.filter((_, index) => index % width === worker));
  await Promise.all(
    shares.map(async (share) => {
      const child = spawn(PYTHON, [inProject('test/interop/reference_each.py'), ...share], { stdio: 'inherit' });
      const [code] = await once(child, 'exit');
      if (code !== 0) throw new Error(`the reference ended with ${code}`);
    }),
  );
}

/** The number of rows, or undefined, with a line on what to repeat, where something differs from the reference's. */
async function compare({
  path,
  recipe,
  drawn,
  chain,
}: Awaited<ReturnType<typeof prepare>>): Promise<number | undefined> {
  const expected = await readTable(join(path, 'cells.csv'));
  const theirs = await imagesOfReference(path, chain);
  // The properties of the other tests compare with this one, so it is held to the reference too.
  assert.deepEqual(imageProblems(drawn, chain, theirs), {}, 'the plain truth of the images');
  assert.deepEqual(
    naive(drawn, chain, undefined, theirs).cells.map(({ row }) => row),
    // The reference keeps the sign of a zero.
    expected.rows.map((row) => row.map((value) => value + 0)),
    'the plain truth of the cells',
  );
  const made = await imagesMade(drawn, chain);
  assert.deepEqual(imageProblems(drawn, chain, made), {}, 'the images');
  const core = coreFor(recipe.core, recipe.volume.size);
  const found = await detect(await npy(join(path, 'volume.npy')), chain, { core, options: optionsFor(recipe.engine) });
  const ours = { names: found.names, rows: sorted(found.rows) };
  const right = { names: expected.names, rows: naive(drawn, chain, undefined, made).cells.map(({ row }) => row) };
  if (JSON.stringify(ours) === JSON.stringify(right)) return right.rows.length;
  const at = ours.rows.findIndex((row, index) => row.join() !== right.rows[index]?.join());
  console.error(
    `${JSON.stringify({ recipe, core })}: ` +
      `${ours.rows.length} rows of ${ours.names}, the reference has ${right.rows.length} of ${right.names}; ` +
      `row ${at}: ${ours.rows[at]}, the reference has ${right.rows[at]}`,
  );
  return undefined;
}

/** The images of a chain's steps, as the reference made them; it keeps the sign of a zero. */
async function imagesOfReference(path: string, chain: Chain): Promise<Partial<Images>> {
  const made: Partial<Record<FixedImage, Images[FixedImage]>> = {};
  const steps = {
    illumination: chain.correctIllumination,
    background: chain.removeBackground,
    equalized: chain.equalize,
    dog: chain.dog,
  };
  for (const [name, step] of Object.entries(steps))
    if (step) made[name as FixedImage] = asRead((await readNpy(join(path, `${name}.npy`))).data);
  return made;
}
