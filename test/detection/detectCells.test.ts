/** The whole chain in one call: the same cells as the pipeline's, wherever they come from and go to. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import {
  type CellTable,
  clearMapParameters,
  collect,
  detectCells,
  openSource,
  type Progress,
  readCells,
  type Volume,
} from '../../index.js';
import { rowsOf, sorted } from '../support/detect.js';
import { readLabels } from '../support/npy.js';
import { inProject, MINI } from '../support/paths.js';
import { readTable } from '../support/table.js';
import { tempFolder } from '../support/temp.js';

const EXPECTED = inProject('test/reference/mini_default.csv');

function sortedRows(table: CellTable): { names: string[]; rows: number[][] } {
  return { names: table.names, rows: sorted(rowsOf(table)) };
}

async function mini(): Promise<{ volume: Volume; size: { z: number; y: number; x: number }; data: Uint16Array }> {
  const volume = await openSource(MINI);
  const size = { z: volume.size.z as number, y: volume.size.y, x: volume.size.x };
  const data = new Uint16Array(size.z * size.y * size.x);
  await volume.read({ start: { z: 0, y: 0, x: 0 }, stop: size }, data, new AbortController().signal);
  return { volume, size, data };
}

test('without a sink it gives the table, from a path, a volume or an array', async (t) => {
  const expected = await readTable(EXPECTED);
  const { volume, size, data } = await mini();
  for (const source of [MINI, volume, { data, size }]) {
    t.deepEqual(sortedRows(await detectCells(source, null)), expected);
  }
});

test('the layout, threads and memory do not change the table', async (t) => {
  const expected = await readTable(EXPECTED);
  const ways = [
    { size: { x: 70, y: 60, z: 7 }, threads: 2 },
    { axes: ['z' as const], size: 11, memory: '64 MiB' },
    { sizeMax: { z: 9, y: 100, x: 256 }, overlap: 20 },
  ];
  for (const way of ways) t.deepEqual(sortedRows(await detectCells(MINI, null, undefined, way)), expected);
});

test('with sinks it gives the record of the run, and every sink has the same table', async (t) => {
  const folder = await tempFolder(t);
  const kept = collect();
  const files = [join(folder, 'cells.csv'), join(folder, 'cells.npy')];
  const record = await detectCells(MINI, [...files, kept], { shape: { threshold: 900 } }, { threads: 2 });
  t.is(record.counts.cells, kept.table.count);
  t.is(record.threads, 2);
  t.deepEqual(record.parameters.shape, { threshold: 900 });
  t.true(kept.table.count > 100 && kept.table.count < 623);
  for (const file of files) t.deepEqual(sortedRows(await readCells(file)), sortedRows(kept.table));
  t.deepEqual((await readdir(folder)).sort(), ['cells.csv', 'cells.csv.json', 'cells.npy', 'cells.npy.json']);
});

test('a given entry replaces the default entry, and null skips the step', async (t) => {
  const expected = await readTable(inProject('test/reference/mini_disk30.csv'));
  const found = await detectCells(MINI, null, { removeBackground: { size: { x: 30, y: 24 } }, maxima: {} });
  t.deepEqual(sortedRows(found), expected);
  const centers = await detectCells(MINI, null, { maxima: { threshold: 700 }, shape: null, intensity: null });
  t.deepEqual(centers.names, ['x', 'y', 'z']);
  t.true(centers.count > 0);
  const plain = await detectCells(MINI, null, { removeBackground: null, intensity: { measure: ['source'] } });
  t.deepEqual(plain.names, ['x', 'y', 'z', 'size', 'source']);
  t.not(plain.count, 623);
});

test("ClearMap's parameters find the cells of the reference's clearmap case", async (t) => {
  const expected = await readTable(inProject('test/reference/mini_clearmap.csv'));
  t.is(expected.rows.length, 630);
  t.deepEqual(sortedRows(await detectCells(MINI, null, clearMapParameters())), expected);
});

test('filterCells leaves out rows, not columns', async (t) => {
  const all = await readTable(EXPECTED);
  const size = all.names.indexOf('size');
  const kept = all.rows.filter((row) => (row[size] as number) >= 20 && (row[size] as number) < 60);
  t.true(kept.length > 0 && kept.length < all.rows.length);
  const found = await detectCells(MINI, null, { filterCells: { size: { min: 20, max: 60 } } });
  t.deepEqual(sortedRows(found), { names: all.names, rows: kept });
  const record = await detectCells(MINI, [], { filterCells: { size: 20 } });
  t.deepEqual(record.parameters.filterCells, { size: 20 });
});

test('a region finds the cells of the region, in coordinates of the whole', async (t) => {
  const region = { start: { z: 4, y: 30, x: 40 }, stop: { z: 25, y: 200, x: 220 } };
  const found = sortedRows(await detectCells(MINI, null, undefined, { region, size: 50 }));
  const inside = ([x = 0, y = 0, z = 0]: number[]) => z >= 4 && z < 25 && y >= 30 && y < 200 && x >= 40 && x < 220;
  t.true(found.rows.length > 50 && found.rows.every(inside));
  // Away from the region's faces, the cells are those of the whole volume.
  const wholly = ([x = 0, y = 0, z = 0]: number[]) => z >= 14 && z < 15 && y >= 60 && y < 170 && x >= 70 && x < 190;
  const { rows } = await readTable(EXPECTED);
  t.true(rows.some(wholly));
  t.deepEqual(found.rows.filter(wholly), rows.filter(wholly));
});

test('progress is told, up to all voxels', async (t) => {
  const told: Progress[] = [];
  await detectCells(MINI, null, undefined, { size: 64, progress: { next: (progress) => told.push(progress) } });
  t.is(told.at(-1)?.voxels, 30 * 256 * 256);
  t.is(told.at(-1)?.cells, 623);
});

test('an aborted call rejects with the reason, and leaves no file', async (t) => {
  const folder = await tempFolder(t);
  const reason = new Error('enough');
  const before = detectCells(MINI, join(folder, 'cells.csv'), undefined, { signal: AbortSignal.abort(reason) });
  t.is(await t.throwsAsync(before), reason);
  const midway = new AbortController();
  const abort = { next: ({ blocks }: Progress) => blocks > 1 && midway.abort(reason) };
  const run = detectCells(MINI, join(folder, 'cells.npy'), undefined, {
    size: 32,
    progress: abort,
    signal: midway.signal,
  });
  t.is(await t.throwsAsync(run), reason);
  t.deepEqual(await readdir(folder), []);
});

test('a source that is missing leaves no file', async (t) => {
  const folder = await tempFolder(t);
  const run = detectCells(join(folder, 'absent.npy'), [join(folder, 'a.csv'), join(folder, 'b.npy')]);
  await t.throwsAsync(run, { name: 'SourceError', message: /absent\.npy/ });
  t.deepEqual(await readdir(folder), []);
});

test('columns asked for come behind the measured ones and can be filtered, and the shapes are saved', async (t) => {
  const folder = await tempFolder(t);
  const path = join(folder, 'labels.npy');
  const plain = await detectCells(MINI, null);
  const asked = {
    shape: { threshold: 700, save: path },
    columns: ['label', 'centroid', 'box', 'flags'] as const,
    filterCells: { label: { min: 10, max: 20 } },
  };
  const table = await detectCells(MINI, null, asked, { size: { z: 9, y: 50, x: 60 } });
  t.deepEqual(table.names, [
    ...plain.names,
    ...['label', 'centroid_x', 'centroid_y', 'centroid_z'],
    ...['box_x0', 'box_x1', 'box_y0', 'box_y1', 'box_z0', 'box_z1', 'flags'],
  ]);
  t.is(table.count, 10);
  const { size, data } = await readLabels(path);
  for (let row = 0; row < table.count; row++) {
    const { x = 0, y = 0, z = 0, label = 0, size: voxels = 0, ...of } = table.row(row);
    t.is(data[(z * size.y + y) * size.x + x], label);
    t.is(data.filter((voxel) => voxel === label).length, voxels);
    t.true((of.box_x0 as number) <= x && x < (of.box_x1 as number) && (of.centroid_x as number) > 0);
  }
  // Labels are of all cells, also of those that are left out.
  t.is(new Set(data).size, plain.count + 1);
});
