/** The cases of the reference implementation, row by row and voxel by voxel. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { lastValueFrom, toArray } from 'rxjs';
import type { Zyx } from '../core/geometry.js';
import type { Volume, Voxels } from '../core/volume.js';
import { blocks, type FixedImage, npyVolume, openSource } from '../index.js';
import { detect, type Run, sorted, stepsOf } from './support/detect.js';
import { dogTolerance } from './support/imageTruth.js';
import type { Chain } from './support/naive.js';
import { imagesOf } from './support/naiveImages.js';
import { readLabels, readNpy, readPlane } from './support/npy.js';
import { chainFrom, type Parameters } from './support/parameters.js';
import { inProject, MINI } from './support/paths.js';
import { readRegion, same, whole } from './support/reading.js';
import { differingCenters, explainedByRounding } from './support/rounding.js';
import { key } from './support/stream.js';
import { readTable } from './support/table.js';
import { tempFolder } from './support/temp.js';

interface Case {
  readonly name: string;
  readonly source: string;
  readonly parameters: Parameters<string>;
  readonly cells: number;
}

const REFERENCE = inProject('test/reference');
/** The whole crops and their answers, where they lie beside the repository; too large to travel with it. */
const SHARED = inProject('../shared');
const cases = JSON.parse(readFileSync(join(REFERENCE, 'cases.json'), 'utf8')) as Case[];

const SMALL = [
  ...['saturated', 'zeros', 'constant', 'one_plane', 'one_voxel', 'thin', 'full_range', 'bytes', 'floats'],
  ...['snakes', 'snakes_first', 'snakes_all'],
  ...['saturated_no_threshold', 'saturated_spheres', 'saturated_h_max_reach', 'floats_spheres'],
];
const MINIS = [
  ...['default', 'disk11', 'disk30', 'clearmap', 'rectangle', 'no_background', 'maxima_box'],
  ...['equalize', 'illumination', 'h_max', 'spheres'],
];
const LARGE = [...MINIS.map((name) => `crop_${name}`), 'split_default', 'split_clearmap'];
const LABELLED = ['snakes_first', 'saturated_no_threshold'];
const DOGS = ['dog', 'dog_even'];
const IMAGES: readonly (readonly [name: string, step: FixedImage])[] = [
  ['default', 'background'],
  ['disk30', 'background'],
  ['illumination', 'illumination'],
  ['equalize', 'equalized'],
  ['dog', 'dog'],
  ['dog_even', 'dog'],
];

/** Core sizes that cut the cells of every case, along one axis, two or all three; none divides a volume evenly. */
const LAYOUTS: readonly (number | Zyx)[] = [
  { z: 7, y: 50, x: 60 },
  { z: 1, y: 4096, x: 4096 },
  { z: 4096, y: 37, x: 4096 },
  { z: 5, y: 4096, x: 41 },
  11,
];

function named(name: string): Case {
  const found = cases.find((one) => one.name === name);
  if (!found) throw new Error(`cases.json has no ${name}`);
  return found;
}

/** The chain of a case, with its planes of light, which lie beside the answers. */
async function chainOf({ parameters }: Case, answers: string): Promise<Chain> {
  const { correctIllumination: light, ...others } = parameters;
  if (!light) return chainFrom(others);
  const { flatfield, background, ...asked } = light;
  const planes = {
    flatfield: await readPlane(join(answers, flatfield)),
    ...(background === undefined ? {} : { background: await readPlane(join(answers, background)) }),
  };
  return chainFrom({ ...others, correctIllumination: { ...asked, ...planes } });
}

function declare(name: string, source: string, answers: string, ways: readonly Run[]): void {
  const one = named(name);
  const claim = `the ${one.cells} cells are those of the reference, in one block and in ${ways.length} other layouts`;
  test.serial(`${name}: ${claim}`, async (t) => {
    const expected = await readTable(join(answers, `${name}.csv`));
    t.is(expected.rows.length, one.cells);
    const volume = await openSource(source);
    const chain = await chainOf(one, answers);
    for (const way of [{ core: wholeOf(volume) }, ...ways]) {
      const { names, rows } = await detect(volume, chain, way);
      t.deepEqual({ names, rows: sorted(rows) }, expected, `layout ${JSON.stringify(way)}`);
    }
  });
}

/** The labels of a case, which the reference numbers as SPEC.md says. */
function declareLabels(name: string): void {
  const one = named(name);
  const claim = `labels of every tenth plane are those of the reference, and the table's, in ${everyLayout.length} layouts`;
  test.serial(`${name}: ${claim}`, async (t) => {
    const expected = await readLabels(join(REFERENCE, `${name}.shape.npy`));
    const volume = await openSource(join(REFERENCE, one.source));
    const chain = await chainOf(one, REFERENCE);
    const folder = await tempFolder(t);
    for (const way of everyLayout) {
      const path = join(folder, 'labels.npy');
      const options = { ...way.options, columns: ['label'] as const };
      const { rows } = await detect(volume, chain, { ...way, options, saves: { shape: npyVolume(path) } });
      const found = await readLabels(path);
      t.deepEqual(found.size, wholeOf(volume));
      t.is(Math.ceil(found.size.z / 10), expected.size.z);
      const pixels = expected.size.y * expected.size.x;
      for (let plane = 0; plane < expected.size.z; plane++) {
        const ours = found.data.subarray(10 * plane * pixels, (10 * plane + 1) * pixels);
        const theirs = expected.data.subarray(plane * pixels, (plane + 1) * pixels);
        t.deepEqual(ours, theirs, `plane ${10 * plane}, layout ${JSON.stringify(way)}`);
      }
      t.deepEqual(
        sorted(rows).map((row) => row.at(-1)),
        rows.map((_, rank) => rank + 1),
      );
      t.is(rows.length, one.cells);
    }
  });
}

/** How far a voxel of an image may be from the reference's: not at all, but for the difference of Gaussians. */
function toleranceOf(step: FixedImage, source: Voxels): number {
  return step === 'dog' ? dogTolerance(source) : 0;
}

function declareImage(name: string, step: FixedImage, source: string, answers: string): void {
  const claim = step === 'dog' ? 'the reference to 1e-5 of the largest input, and one block' : 'the reference';
  test.serial(`${name}: every tenth plane of ${step} is that of ${claim}, in one block and in others`, async (t) => {
    const volume = await openSource(source);
    const expected = await readNpy(join(answers, `${name}.${step}.npy`));
    const chain = await chainOf(named(name), answers);
    const tolerance = toleranceOf(step, await readRegion(volume, whole(wholeOf(volume))));
    let first: Voxels | undefined;
    for (const size of [wholeOf(volume), { z: 4, y: 100, x: 90 }]) {
      const found = await imageOf(volume, chain, step, size);
      t.is(found.constructor, expected.data.constructor);
      t.is(Math.ceil(wholeOf(volume).z / 10), expected.size.z);
      const pixels = expected.size.y * expected.size.x;
      for (let plane = 0; plane < expected.size.z; plane++) {
        const ours = found.subarray(10 * plane * pixels, (10 * plane + 1) * pixels);
        const theirs = expected.data.subarray(plane * pixels, (plane + 1) * pixels);
        t.true(
          ours.every((value, at) => Math.abs(value - (theirs[at] as number)) <= tolerance),
          `plane ${10 * plane}, layout ${JSON.stringify(size)}`,
        );
      }
      first ??= found;
      t.true(same(found, first), `other voxels than in one block, layout ${JSON.stringify(size)}`);
    }
  });
}

/** A step's result on the whole volume, put together from what each block gives for its core. */
async function imageOf(volume: Volume, chain: Chain, step: FixedImage, size: Zyx): Promise<Voxels> {
  const extent = wholeOf(volume);
  let image: Voxels | undefined;
  const through = stepsOf({ ...chain, measure: ['source'] });
  for (const block of await lastValueFrom(blocks(volume, { size }).pipe(through, toArray()))) {
    const { start, stop } = block.core;
    const voxels = await block.voxels(step as never);
    image ??= new (voxels.constructor as Uint16ArrayConstructor)(extent.z * extent.y * extent.x);
    const width = stop.x - start.x;
    let from = 0;
    for (let z = start.z; z < stop.z; z++) {
      for (let y = start.y; y < stop.y; y++, from += width) {
        image.set(voxels.subarray(from, from + width), (z * extent.y + y) * extent.x + start.x);
      }
    }
  }
  return image as Voxels;
}

/** The cells of a difference of Gaussians: its rounding may move a value over a threshold, or beyond a neighbour's. */
function declareNear(name: string, source: string, answers: string, ways: readonly Run[]): void {
  const one = named(name);
  const claim = 'all but 1 % of the cells are those of the reference, and rounding explains each other one';
  // The truth takes seconds in which nothing else could run, and other tests wait no longer for their runs.
  test.serial(`${name}: ${claim}, the same in one block and in ${ways.length} other layouts`, async (t) => {
    const expected = await readTable(join(answers, `${name}.csv`));
    const volume = await openSource(source);
    const size = wholeOf(volume);
    const chain = await chainOf(one, answers);
    const drawn = { data: await readRegion(volume, whole(size)), size };
    const truth = imagesOf(drawn, chain).made.dog as { readonly image: Voxels; readonly from: Voxels };
    const found = await imageOf(volume, chain, 'dog', size);
    let rounding = 0;
    found.forEach((value, at) => {
      rounding = Math.max(rounding, Math.abs(value - (truth.image[at] as number)));
    });
    t.true(rounding <= dogTolerance(truth.from), `an image ${rounding} off`);
    const inOne = await detect(volume, chain, { core: size });
    t.deepEqual(inOne.names, expected.names);
    const differing = differingCenters(expected, inOne.rows, rounding);
    t.true(
      differing.length <= expected.rows.length / 100,
      `${differing.length} of ${expected.rows.length} rows differ`,
    );
    const unexplained = differing.filter((at) => !explainedByRounding(truth.image, size, chain, at, rounding));
    t.deepEqual(unexplained, []);
    for (const way of ways) {
      const { rows } = await detect(volume, chain, way);
      t.deepEqual(sorted(rows), sorted(inOne.rows), `layout ${JSON.stringify(way)}`);
    }
  });
}

/** How many of the centers that ClearMap itself found are among ours, with the parameters closest to its own. */
function declareCenters(name: string, least: number): void {
  test.serial(`${name}: at least ${100 * least} % of the centers that ClearMap finds are found`, async (t) => {
    const clearmap = await readTable(join(SHARED, 'golden', `clearmap_${name}.csv`));
    t.true(clearmap.rows.length > 1000);
    const volume = await openSource(join(SHARED, 'data', name));
    const chain = await chainOf(named(`${name}_clearmap`), SHARED);
    const { rows } = await detect(volume, chain, { options: { threads: 2 } });
    const ours = new Set(rows.map(key));
    const found = clearmap.rows.filter((row) => ours.has(key(row))).length;
    t.true(found >= least * clearmap.rows.length, `${found} of ${clearmap.rows.length}`);
  });
}

/** The core size that makes the whole volume one block. */
function wholeOf({ id, size: { z, y, x } }: Volume): Zyx {
  if (z === null) throw new Error(`${id} has no whole`);
  return { z, y, x };
}

const everyLayout: Run[] = [{}, ...LAYOUTS.map((core) => ({ core, options: { threads: 2 } }))];
for (const name of LABELLED) declareLabels(name);
for (const name of SMALL) declare(name, join(REFERENCE, named(name).source), REFERENCE, everyLayout);
for (const name of MINIS) declare(`mini_${name}`, MINI, REFERENCE, everyLayout.slice(0, 3));
for (const [name, step] of IMAGES) declareImage(`mini_${name}`, step, MINI, REFERENCE);
for (const name of DOGS) declareNear(`mini_${name}`, MINI, REFERENCE, everyLayout.slice(0, 3));
const floats = join(REFERENCE, named('floats_dog').source);
declareImage('floats_dog', 'dog', floats, REFERENCE);
declareNear('floats_dog', floats, REFERENCE, everyLayout);

if (existsSync(join(SHARED, 'golden', 'cases.json'))) {
  const ways: Run[] = [{}, { core: { z: 13, y: 150, x: 170 }, options: { threads: 2 } }];
  const golden = join(SHARED, 'golden');
  for (const name of LARGE) declare(name, join(SHARED, 'data', named(name).source), golden, ways);
  const crop = join(SHARED, 'data', 'crop');
  for (const [name, step] of IMAGES) declareImage(`crop_${name}`, step, crop, golden);
  for (const name of DOGS) declareNear(`crop_${name}`, crop, golden, ways);
  declareCenters('crop', 1);
  // SPEC.md, clearMapParameters: 34,558 of 34,686.
  declareCenters('split', 0.995);
}
