/** The command as a user meets it: a child process, its output, its files and its exit code. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import test from 'ava';
import { supportedTargets } from '../index.js';
import { ended, refuses, run, scratch, start } from './support/command.js';
import { writeNpy } from './support/npy.js';
import { inProject, MINI } from './support/paths.js';
import { readTable } from './support/table.js';

const EXPECTED = inProject('test/reference/mini_default.csv');
const JSON_KEYS = [
  'voxels',
  'cells',
  'seconds',
  'mvoxelPerSecond',
  'peakBytes',
  'blocks',
  'seams',
  'bytesRead',
  'target',
  'threads',
];

test('detect finds the 623 cells of the shipped crop, tells a person so, and leaves the table and its record', async (t) => {
  const folder = await scratch(t);
  const out = join(folder, 'cells.csv');
  const { code, stdout, stderr } = await run('detect', MINI, '--out', out);
  t.is(code, 0, stderr);
  t.deepEqual(await readTable(out), await readTable(EXPECTED));
  t.deepEqual(await readdir(folder), ['cells.csv', 'cells.csv.json']);
  t.regex(stdout, /^623 cells in .*mini \(30 x 256 x 256 voxels\)\n/);
  t.regex(stdout, /\n1\.97 Mvoxel in [\d.]+ m?s, [\d.]+ [kMG]?voxel\/s; peak memory [\d.]+ MiB\n/);
  t.regex(stdout, /\n +x +y +z +size +source +background\n/);
  t.true(stdout.endsWith(`written to ${out}\n`));
});

test('the file is the same, byte for byte, however many threads work on one layout', async (t) => {
  const folder = await scratch(t);
  const files: string[] = [];
  for (const threads of ['1', '2', '7']) {
    const out = join(folder, `${threads}.csv`);
    const { code, stderr } = await run('detect', MINI, '--out', out, '--block', '7,60,70', '--threads', threads);
    t.is(code, 0, stderr);
    files.push(await readFile(out, 'utf8'));
  }
  t.is(new Set(files).size, 1);
});

test('the rows are the same for every --block, --threads and --memory', async (t) => {
  const folder = await scratch(t);
  const expected = await readTable(EXPECTED);
  const ways = [
    ['--block', '30,256,256'],
    ['--block', '30,256,256', '--threads', '4', '--memory', '1GiB'],
    ['--block', '3,256,256', '--threads', '2', '--memory', '64MiB'],
    ['--block', '30,31,29', '--threads', '3'],
    ['--block', '16,100,256', '--threads', '1', '--memory', '67108864'],
  ];
  for (const [index, way] of ways.entries()) {
    const out = join(folder, `${index}.csv`);
    const { code, stderr } = await run('detect', MINI, '--out', out, ...way);
    t.is(code, 0, stderr);
    t.deepEqual(await readTable(out), expected, way.join(' '));
  }
});

test('--json ends stdout with one line of the documented figures', async (t) => {
  const out = join(await scratch(t), 'cells.csv');
  const { code, stdout, stderr } = await run(
    'detect',
    MINI,
    '--out',
    out,
    '--json',
    '--block',
    '10,90,90',
    '--threads',
    '2',
  );
  t.is(code, 0, stderr);
  const lines = stdout.trimEnd().split('\n');
  const figures = JSON.parse(lines.at(-1) ?? '') as Record<string, number | string>;
  t.deepEqual(Object.keys(figures), JSON_KEYS);
  t.is(lines.length, 1);
  t.is(figures.voxels, 30 * 256 * 256);
  t.is(figures.cells, 623);
  t.is(figures.blocks, 27);
  t.is(figures.threads, 2);
  t.true((figures.seams as number) > 0);
  t.true((figures.bytesRead as number) >= 2 * 30 * 256 * 256);
  t.true((figures.peakBytes as number) > 2 ** 24);
  t.true((supportedTargets() as unknown[]).includes(figures.target));
  const speed = (figures.voxels as number) / (figures.seconds as number) / 1e6;
  t.true(Math.abs((figures.mvoxelPerSecond as number) / speed - 1) < 1e-3);
});

test('--quiet leaves stderr empty and stdout as it is', async (t) => {
  const out = join(await scratch(t), 'cells.csv');
  const { code, stdout, stderr } = await run('detect', MINI, '--out', out, '--quiet');
  t.is(code, 0);
  t.is(stderr, '');
  t.regex(stdout, /^623 cells/);
});

test('SOURCE may be a folder, a pattern or a .npy file', async (t) => {
  const folder = await scratch(t);
  const pattern = await run('detect', join(MINI, 'ch<Z,5>.tif'), '--out', join(folder, 'pattern.csv'));
  t.is(pattern.code, 0, pattern.stderr);
  t.deepEqual(await readTable(join(folder, 'pattern.csv')), await readTable(EXPECTED));
  const npy = await run('detect', inProject('test/reference/snakes.npy'), '--out', join(folder, 'npy.csv'));
  t.is(npy.code, 0, npy.stderr);
  t.deepEqual(await readTable(join(folder, 'npy.csv')), await readTable(inProject('test/reference/snakes.csv')));
});

test('a volume without cells still gives a file with the header', async (t) => {
  const out = join(await scratch(t), 'cells.csv');
  const { code, stdout, stderr } = await run('detect', inProject('test/reference/zeros.npy'), '--out', out);
  t.is(code, 0, stderr);
  t.is((await readFile(out, 'utf8')).trimEnd(), 'x,y,z,size,source,background');
  t.regex(stdout, /^0 cells in/);
});

test('an option that cannot be is one line that names it, exit code 1 and no file', async (t) => {
  const folder = await scratch(t);
  const out = join(folder, 'cells.csv');
  const good = ['detect', MINI, '--out', out];
  const cases: [string[], RegExp][] = [
    [[...good, '--block', '7,60'], /--block must be three positive integers .*, got '7,60'/],
    [[...good, '--block', '7,0,60'], /--block/],
    [[...good, '--block', '7,6.5,60'], /--block/],
    [[...good, '--threads', '0'], /--threads must be an integer in 1\.\.256, got '0'/],
    [[...good, '--threads', 'all'], /--threads/],
    [[...good, '--memory', 'much'], /--memory/],
    [[...good, '--memory', '-1'], /--memory/],
    [[...good, '--memory', '0'], /--memory/],
    [[...good, '--region', '0:3,0:5'], /--region must be three ranges .*, got '0:3,0:5'/],
    [[...good, '--region', '5:5,,'], /--region/],
    [[...good, '--region', '0:31,,'], /--region must be within \[0:30, 0:256, 0:256\] of .*mini/],
    [[...good, '--voxel-size', '1,1'], /--voxel-size must be three positive lengths in µm/],
    [[...good, '--voxel-size', '1,0,1'], /--voxel-size/],
    [[...good, '--mask', join(folder, 'absent.tif')], /absent\.tif: no such file/],
    [[...good, '--params', join(folder, 'absent.json')], /absent\.json: cannot be read: no such file/],
    [[...good, '--out', out], /--out must be another file each time/],
    [['detect', MINI, '--out', join(folder, 'cells.txt')], /--out must be a file name that ends in \.csv or \.npy/],
    [[...good, '--blok', '7,60,70'], /unknown option '--blok' \(Did you mean --block\?\)/],
    [[...good, 'another'], /too many arguments/],
    [['detect', MINI], /--out/],
    [['detect', '--out', out], /source/],
    [['detekt', MINI], /unknown command 'detekt' \(Did you mean detect\?\)/],
    [['detect', MINI, '--out', join(folder, 'absent', 'cells.csv')], /--out must be in a folder that exists/],
    [['detect', MINI, '--out', folder], /--out must be a file/],
    [['detect', join(folder, 'v.npy'), '--out', join(folder, 'v.npy')], /--out must be another file than the source/],
  ];
  for (const [args, pattern] of cases) await refuses(t, folder, args, pattern);
});

test('a memory in which no block fits is one line with step and sizes, before anything is read', async (t) => {
  const folder = await scratch(t);
  const out = join(folder, 'cells.csv');
  await refuses(t, folder, ['detect', MINI, '--out', out, '--memory', '20KiB', '--quiet'], /needs .* the budget has/);
});

test('--verbose adds the stack to an error', async (t) => {
  const folder = await scratch(t);
  const { code, stderr } = await run(
    'detect',
    join(folder, 'absent.npy'),
    '--out',
    join(folder, 'cells.csv'),
    '--verbose',
  );
  t.is(code, 1);
  t.regex(stderr, /^somaflow: .*\n.*\n +at /);
});

for (const [signal, expected] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} midway ends the command with ${expected} at once and leaves no file`, async (t) => {
    const folder = await scratch(t);
    const source = join(folder, 'volume.npy');
    // Noise with a bright voxel in 64, in blocks that are mostly halo: seconds of work for one thread.
    const size = { z: 160, y: 512, x: 512 };
    const data = new Uint16Array(size.z * size.y * size.x);
    for (let i = 0; i < data.length; i++) {
      const mixed = Math.imul(i ^ (i >>> 15), 2654435761) >>> 0;
      data[i] = mixed < 2 ** 26 ? 3000 + (mixed & 1023) : 300 + ((mixed >>> 8) & 63);
    }
    await writeNpy(source, { size, data });
    const child = start(['detect', source, '--out', join(folder, 'cells.csv'), '--block', '4,64,64', '--threads', '1']);
    const end = ended(child);
    await caughtAtWork(folder);
    t.is(child.exitCode, null, 'it ended before it could be interrupted');
    const before = performance.now();
    child.kill(signal);
    const { code, stderr } = await end;
    t.is(code, expected, stderr);
    // The machine may be busy with others: how long it took is told, and only a command that works on is a failure.
    const ms = performance.now() - before;
    t.log(`ended after ${ms.toFixed(0)} ms`);
    t.true(ms < 5000);
    t.deepEqual(await readdir(folder), ['volume.npy']);
  });
}

/** Waits until the command has begun to write, and a little longer. */
async function caughtAtWork(folder: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if ((await readdir(folder)).some((name) => name.endsWith('.partial'))) break;
    await wait(20);
  }
  await wait(50);
}

test('--help explains the command, its options and its sources, with examples', async (t) => {
  const { code, stdout, stderr } = await run('detect', '--help');
  t.is(code, 0);
  t.is(stderr, '');
  for (const part of ['--out', '--block', '--threads', '--memory', '--json', '--quiet', '<Z,4>', 'Examples:']) {
    t.true(stdout.includes(part), part);
  }
  t.true(stdout.split('\n').every((line) => line.length <= 100));
});
