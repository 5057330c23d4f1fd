/** The cases of the reference implementation, row by row and voxel by voxel. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { lastValueFrom, toArray } from 'rxjs';
import type { Zyx } from '../core/geometry.js';
import type { Volume } from '../core/volume.js';
import { blocks, openSource, removeBackground } from '../index.js';

import { detect, type Run, sorted } from './support/detect.js';
import { readNpy } from './support/npy.js';
import { chainFrom, type Parameters } from './support/parameters.js';
import { inProject, MINI } from './support/paths.js';
import { key } from './support/stream.js';
import { readTable } from './support/table.js';

interface Case {
  readonly name: string;
  readonly source: string;
  readonly parameters: Parameters;
  readonly cells: number;
}

const REFERENCE = inProject('test/reference');
/** The whole crops and their answers, where they lie beside the repository; too large to travel with it. */
const SHARED = inProject('../shared');
const cases = JSON.parse(readFileSync(join(REFERENCE, 'cases.json'), 'utf8')) as Case[];

const SMALL = [
  ...['saturated', 'zeros', 'constant', 'one_plane', 'one_voxel', 'thin', 'full_range', 'bytes', 'floats'],
  ...['snakes', 'snakes_first', 'snakes_all'],
];
const MINIS = ['default', 'disk11', 'disk30', 'clearmap', 'rectangle', 'no_background', 'maxima_box'];
const LARGE = [
  ...['crop_default', 'crop_clearmap', 'crop_rectangle', 'crop_no_background', 'crop_maxima_box'],
  ...['split_default', 'split_clearmap'],
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

function declare(name: string, source: string, answers: string, ways: readonly Run[]): void {
  const one = named(name);
  const claim = `the ${one.cells} cells are those of the reference, in one block and in ${ways.length} other layouts`;
  test(`${name}: ${claim}`, async (t) => {
    const expected = await readTable(join(answers, `${name}.csv`));
    t.is(expected.rows.length, one.cells);
    const volume = await openSource(source);
    for (const way of [{ core: wholeOf(volume) }, ...ways]) {
      const { names, rows } = await detect(volume, chainFrom(one.parameters), way);
      t.deepEqual({ names, rows: sorted(rows) }, expected, `layout ${JSON.stringify(way)}`);
    }
  });
}

function declareBackground(name: string, source: string, answers: string): void {
  test(`${name}: every tenth plane without background is the reference's, in one block and in others`, async (t) => {
    const volume = await openSource(source);
    const expected = await readNpy(join(answers, `${name}.background.npy`));
    for (const size of [wholeOf(volume), { z: 4, y: 100, x: 90 }]) {
      const found = await background(volume, named(name).parameters, size);
      t.is(Math.ceil(found.size.z / 10), expected.size.z);
      const pixels = expected.size.y * expected.size.x;
      for (let plane = 0; plane < expected.size.z; plane++) {
        const ours = found.data.subarray(10 * plane * pixels, (10 * plane + 1) * pixels);
        const theirs = expected.data.subarray(plane * pixels, (plane + 1) * pixels);
        t.true(
          ours.every((value, at) => value === theirs[at]),
          `plane ${10 * plane}, layout ${JSON.stringify(size)}`,
        );
      }
    }
  });
}

/** The step's result on the whole volume, put together from what each block gives for its core. */
async function background(volume: Volume, parameters: Parameters, size: Zyx) {
  const whole = wholeOf(volume);
  const data = new Uint16Array(whole.z * whole.y * whole.x);
  const element = chainFrom(parameters).removeBackground ?? { size: 1 };
  const described = blocks(volume, { size }).pipe(removeBackground(element), toArray());
  for (const block of await lastValueFrom(described)) {
    const { start, stop } = block.core;
    const voxels = await block.voxels('background');
    const width = stop.x - start.x;
    let from = 0;
    for (let z = start.z; z < stop.z; z++) {
      for (let y = start.y; y < stop.y; y++, from += width) {
        data.set(voxels.subarray(from, from + width), (z * whole.y + y) * whole.x + start.x);
      }
    }
  }
  return { size: whole, data };
}

/** How many of the centers that ClearMap itself found are among ours, with the parameters closest to its own. */
function declareCenters(name: string, least: number): void {
  test(`${name}: at least ${100 * least} % of the centers that ClearMap finds are found`, async (t) => {
    const clearmap = await readTable(join(SHARED, 'golden', `clearmap_${name}.csv`));
    t.true(clearmap.rows.length > 1000);
    const volume = await openSource(join(SHARED, 'data', name));
    const { rows } = await detect(volume, chainFrom(named(`${name}_clearmap`).parameters), { options: { threads: 2 } });
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
for (const name of SMALL) declare(name, join(REFERENCE, named(name).source), REFERENCE, everyLayout);
for (const name of MINIS) declare(`mini_${name}`, MINI, REFERENCE, everyLayout.slice(0, 3));
declareBackground('mini_default', MINI, REFERENCE);
declareBackground('mini_disk30', MINI, REFERENCE);

if (existsSync(join(SHARED, 'golden', 'cases.json'))) {
  const ways: Run[] = [{}, { core: { z: 13, y: 150, x: 170 }, options: { threads: 2 } }];
  for (const name of LARGE) {
    declare(name, join(SHARED, 'data', named(name).source), join(SHARED, 'golden'), ways);
  }
  declareBackground('crop_default', join(SHARED, 'data', 'crop'), join(SHARED, 'golden'));
  declareCenters('crop', 1);
  // SPEC.md, clearMapParameters: 34,558 of 34,686.
  declareCenters('split', 0.995);
}
