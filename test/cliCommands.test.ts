/** What else the command does: parameters, regions and masks for detect, and info, plan and filter. */
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { barLine, describe } from '../cli/progress.js';
import { type Progress, readCells } from '../index.js';
import { run, scratch } from './support/command.js';
import { rowsOf, sorted } from './support/detect.js';
import { readNpy, writeNpy } from './support/npy.js';
import { inProject, MINI } from './support/paths.js';
import { readTable } from './support/table.js';

const EXPECTED = inProject('test/reference/mini_default.csv');

async function rows(path: string): Promise<{ names: string[]; rows: number[][] }> {
  const table = await readCells(path);
  return { names: table.names, rows: sorted(rowsOf(table)) };
}

test('--params gives the chain, every --out its table, and the record tells both', async (t) => {
  const folder = await scratch(t);
  const [params, csv, npy] = ['params.json', 'a.csv', 'b.npy'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(params, '{ "removeBackground": { "size": { "x": 30, "y": 24 } } }');
  const options = ['--params', params, '--out', csv, '--out', npy, '--voxel-size', '2.5,1,0.5'];
  const { code, stderr } = await run('detect', MINI, ...options);
  t.is(code, 0, stderr);
  const expected = await readTable(inProject('test/reference/mini_disk30.csv'));
  t.deepEqual(await rows(csv), expected);
  t.deepEqual(await rows(npy), expected);
  t.deepEqual((await readdir(folder)).sort(), ['a.csv', 'a.csv.json', 'b.npy', 'b.npy.json', 'params.json']);
  const record = JSON.parse(await readFile(`${csv}.json`, 'utf8'));
  t.deepEqual(record.sources[0].voxelSizeUm, { z: 2.5, y: 1, x: 0.5 });
  t.deepEqual(record.parameters.removeBackground.size, { y: 24, x: 30 });
});

test('--region finds cells there only, in coordinates of the whole volume, and empty parts reach to the edge', async (t) => {
  const folder = await scratch(t);
  const ways = [
    ['10:20,,', (z: number, _y: number, _x: number) => z >= 10 && z < 20],
    [':,0:128,100:', (_z: number, y: number, x: number) => y < 128 && x >= 100],
  ] as const;
  for (const [region, inside] of ways) {
    const out = join(folder, 'cells.csv');
    const { code, stderr } = await run('detect', MINI, '--out', out, '--region', region);
    t.is(code, 0, stderr);
    const found = await rows(out);
    t.true(found.rows.length > 20, region);
    t.true(
      found.rows.every(([x = 0, y = 0, z = 0]) => inside(z, y, x)),
      region,
    );
  }
});

test('--mask leaves out the cells outside, and may be coarser than the volume', async (t) => {
  const folder = await scratch(t);
  const out = join(folder, 'cells.csv');
  const size = { z: 3, y: 4, x: 4 };
  const data = Uint8Array.from({ length: 48 }, (_, i) => (i % 4 < 2 ? 1 : 0));
  await writeNpy(join(folder, 'mask.npy'), { size, data });
  const { code, stderr } = await run('detect', MINI, '--out', out, '--mask', join(folder, 'mask.npy'));
  t.is(code, 0, stderr);
  const found = await rows(out);
  t.true(found.rows.length > 100 && found.rows.every(([x = 0]) => x < 128));
  const away = ([x = 0]: number[]) => x < 100;
  t.deepEqual(found.rows.filter(away), (await readTable(EXPECTED)).rows.filter(away));
});

test('info says what a source is, for people and as JSON', async (t) => {
  const { code, stdout } = await run('info', MINI);
  t.is(code, 0);
  for (const part of ['TIFF series', '30 x 256 x 256', 'uint16', 'chunks      none', '3.75 MiB', 'not known']) {
    t.true(stdout.includes(part), part);
  }
  const json = await run('info', inProject('test/reference/snakes.npy'), '--json');
  const figures = JSON.parse(json.stdout);
  t.is(figures.kind, 'NPY array');
  t.deepEqual(figures.size, { z: 12, y: 40, x: 60 });
  t.is(figures.bytes, 2 * 12 * 40 * 60);
  t.is(figures.voxelSizeUm, null);
});

test('plan says what detect would take, of the same options', async (t) => {
  const { code, stdout, stderr } = await run('plan', MINI);
  t.is(code, 0, stderr);
  t.regex(
    stdout,
    /1\.97 Mvoxel in 1 block\n.*a block; budget .*\nbytes to read +3\.75 MiB\nexpected time +[\d.]+ m?s on/,
  );
  const options = ['--region', '10:20,,', '--block', '5,256,256', '--threads', '1', '--memory', '64MiB', '--json'];
  const json = await run('plan', MINI, ...options);
  const figures = JSON.parse(json.stdout);
  t.is(figures.blocks, 2);
  t.is(figures.voxels, 10 * 256 * 256);
  t.is(figures.threads, 1);
  t.is(figures.imageBytes + figures.sparseBytes, 64 * 2 ** 20);
  t.true(figures.expectedSeconds > 0 && figures.blockBytes > 0);
});

test('filter keeps min <= value < max, of any column, from and to either kind of file', async (t) => {
  const folder = await scratch(t);
  const [npy, csv] = [join(folder, 'kept.npy'), join(folder, 'again.csv')];
  const all = await readTable(EXPECTED);
  const [size, source] = [all.names.indexOf('size'), all.names.indexOf('source')];
  const bright = (row: number[]) =>
    (row[size] as number) >= 20 && (row[size] as number) < 60 && (row[source] as number) >= 1500;
  const expected = all.rows.filter(bright);
  const first = await run('filter', EXPECTED, '--size', '20:60', '--source', '1500:', '--out', npy);
  t.is(first.code, 0, first.stderr);
  t.true(first.stdout.startsWith(`kept ${expected.length} of 623 cells\n`), first.stdout);
  t.deepEqual(await rows(npy), { names: all.names, rows: expected });
  const second = await run('filter', npy, '--where', 'z=:15', '--where', 'background=1000', '--out', csv, '--json');
  const low = expected.filter((row) => (row[2] as number) < 15 && (row[5] as number) >= 1000);
  t.true(low.length > 0 && low.length < expected.length);
  t.deepEqual(JSON.parse(second.stdout), { kept: low.length, cells: expected.length });
  t.deepEqual((await rows(csv)).rows, low);
});

test('--help of each command fits 100 columns and has examples', async (t) => {
  for (const command of [[], ['detect'], ['info'], ['plan'], ['filter']]) {
    const { code, stdout, stderr } = await run(...command, '--help');
    t.is(code, 0, stderr);
    t.is(stderr, '');
    t.true(stdout.includes('Examples:\n  somaflow '), command.join(' '));
    for (const line of stdout.split('\n')) t.true(line.length <= 100, line);
  }
});

const HALF: Progress = {
  blocks: 5,
  blocksKnown: 12,
  voxels: 50e6,
  bytesRead: 2 ** 27,
  found: 4321,
  cells: 4000,
  seams: 3,
  seamsByCores: { 2: 3 },
  spilledBytes: 0,
  threads: 2,
  target: 'avx2',
};

test('the bar tells part, blocks, speed, cells and time left, and is never wider than the terminal', (t) => {
  const line = barLine(HALF, 100e6, 0.5, 99);
  t.is(line, ` 50 % [${'='.repeat(20)}${'-'.repeat(20)}] 5/12 blocks  100 Mvoxel/s  4321 cells  1 s left`);
  t.true(barLine(HALF, 100e6, 0.5, 70).includes('[=') && barLine(HALF, 100e6, 0.5, 70).includes('1 s left'));
  t.is(barLine(HALF, 100e6, 0.5, 55), ' 50 % 5/12 blocks  100 Mvoxel/s  4321 cells  1 s left');
  t.is(barLine(HALF, 100e6, 0.5, 50), ' 50 % 5/12 blocks  100 Mvoxel/s  4321 cells');
  for (let width = 1; width < 120; width++) {
    for (const progress of [undefined, HALF]) {
      for (const voxels of [null, 100e6]) t.true(barLine(progress, voxels, 0.5, width).length <= width);
    }
  }
});

test('without a terminal progress is a plain line', (t) => {
  const line = describe(HALF, 100e6, 0.5);
  t.is(line, ' 50 %, 5 of 12 blocks, 50 Mvoxel, 100 Mvoxel/s, 128 MiB read, 4000 cells, 1 s left');
});

test('detect takes every step from parameters, whose files are relative to them, and saves what they ask for', async (t) => {
  const folder = await scratch(t);
  const settings = join(folder, 'settings');
  await mkdir(settings);
  for (const name of ['mini_flatfield.npy', 'mini_dark.npy']) {
    await copyFile(inProject(`test/reference/${name}`), join(settings, name));
  }
  const parameters = {
    correctIllumination: {
      flatfield: 'mini_flatfield.npy',
      background: 'mini_dark.npy',
      scaling: 'max',
      save: 'even.npy',
    },
    intensity: { method: 'max', measure: ['source', 'illumination', 'background'] },
  };
  await writeFile(join(settings, 'params.json'), JSON.stringify(parameters));
  const out = join(folder, 'cells.csv');
  const { code, stderr } = await run(
    'detect',
    MINI,
    '--out',
    out,
    '--params',
    join(settings, 'params.json'),
    '--block',
    '9,80,90',
  );
  t.is(code, 0, stderr);
  t.deepEqual(await readTable(out), await readTable(inProject('test/reference/mini_illumination.csv')));
  const [saved, tenth] = [
    await readNpy(join(settings, 'even.npy')),
    await readNpy(inProject('test/reference/mini_illumination.illumination.npy')),
  ];
  const pixels = saved.size.y * saved.size.x;
  for (let plane = 0; plane < tenth.size.z; plane++) {
    const ours = saved.data.subarray(10 * plane * pixels, (10 * plane + 1) * pixels);
    t.deepEqual(ours, tenth.data.subarray(plane * pixels, (plane + 1) * pixels), `plane ${10 * plane}`);
  }
});
