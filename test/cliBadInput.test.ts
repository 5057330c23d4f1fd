/** What users give by mistake: one line on stderr that names the file, region or key, exit code 1, and no file. */
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { refuses, scratch } from './support/command.js';
import { writeNpy } from './support/npy.js';
import { inProject, MINI } from './support/paths.js';
import { tiffBytes } from './support/tiff.js';

const PLANE = new Uint16Array(64).fill(300);

/** A folder of planes of 8 x 8 pixels, by name. */
async function planes(folder: string, name: string, files: Readonly<Record<string, Uint8Array>>): Promise<string> {
  await mkdir(join(folder, name));
  for (const [file, bytes] of Object.entries(files)) await writeFile(join(folder, name, file), bytes);
  return name;
}

test('a source that cannot be used is one line that names the file', async (t) => {
  const folder = await scratch(t);
  await writeFile(join(folder, 'notes.txt'), 'no volume');
  await writeFile(join(folder, 'broken.npy'), 'no volume either');
  await mkdir(join(folder, 'empty'));
  const size = { z: 4, y: 8, x: 8 };
  await writeNpy(join(folder, 'whole.npy'), { size, data: new Uint16Array(256) });
  const whole = await readFile(join(folder, 'whole.npy'));
  await writeFile(join(folder, 'short.npy'), whole.subarray(0, whole.length - 10));
  await writeFile(
    join(folder, 'complex.npy'),
    Buffer.from(whole.toString('latin1').replace("'<u2'", "'<c8'"), 'latin1'),
  );
  const holes = new Float32Array(256).fill(1);
  holes[2 * 64 + 3 * 8 + 5] = Number.NaN;
  await writeNpy(join(folder, 'nan.npy'), { size, data: holes });
  holes[2 * 64 + 3 * 8 + 5] = Number.NEGATIVE_INFINITY;
  await writeNpy(join(folder, 'infinity.npy'), { size, data: holes });
  const plane = tiffBytes(PLANE, 8, 8);
  await planes(folder, 'gap', { 'Z0001.tif': plane, 'Z0003.tif': plane });
  await planes(folder, 'wide', { 'Z0.tif': plane, 'Z1.tif': tiffBytes(PLANE, 4, 16) });
  await planes(folder, 'bytes', { 'Z0.tif': plane, 'Z1.tif': tiffBytes(PLANE, 8, 8, { type: 'uint8' }) });
  await planes(folder, 'cut', { 'Z0.tif': plane, 'Z1.tif': plane.subarray(0, plane.length - 20) });
  await planes(folder, 'corrupt', { 'Z0.tif': Buffer.from('no picture at all') });
  await planes(folder, 'nothing', { 'Z0.tif': new Uint8Array(0) });
  const sources: [string, RegExp][] = [
    ['absent.npy', /absent\.npy: no such file/],
    ['notes.txt', /notes\.txt: unknown kind of file, expected a \.npy file/],
    ['broken.npy', /broken\.npy: not an NPY file/],
    ['short.npy', /short\.npy: ends at byte \d+, expected at least \d+/],
    ['complex.npy', /complex\.npy: voxel type, expected .*, got '<c8'/],
    ['nan.npy', /nan\.npy: voxel z 2, y 3, x 5, expected a finite number, got NaN/],
    ['infinity.npy', /infinity\.npy: voxel z 2, y 3, x 5, expected a finite number, got -infinity/],
    ['empty', /empty/],
    ['Z<Z,4>.tif', /Z<Z,4>\.tif/],
    ['gap/Z<Z,4>.tif', /plane 2 is missing, expected no gap between Z0001\.tif and Z0003\.tif/],
    ['wide', /Z1\.tif: .*expected 8 rows of 8/],
    ['bytes', /Z1\.tif: .*uint8/],
    ['cut', /Z1\.tif/],
    ['corrupt', /Z0\.tif/],
    ['nothing', /Z0\.tif/],
  ];
  for (const [source, pattern] of sources) {
    await refuses(t, folder, ['detect', join(folder, source), '--out', join(folder, 'cells.csv'), '--quiet'], pattern);
  }
});

test('parameters that cannot be are one line with the file and the key, and the nearest known one', async (t) => {
  const folder = await scratch(t);
  const file = join(folder, 'params.json');
  await writeFile(file, '');
  const cases: [string, RegExp][] = [
    [
      '{ "maxima": { "treshold": 3 } }',
      /params\.json: parameters\.maxima has no 'treshold', did you mean 'threshold'\?/,
    ],
    ['{ "maximum": {} }', /params\.json: parameters has no 'maximum', did you mean 'maxima'\?/],
    ['{ "maxima": { "size": 0 } }', /params\.json: maxima: size must be an integer in 1\.\.255, got 0/],
    ['{ "dog": { "size": 5, "sigma": 0 } }', /params\.json: dog: sigma must be a finite number above 0, got 0/],
    ['{ "correctIllumination": { "flatfield": "absent.npy" } }', /absent\.npy: cannot be opened: no such file/],
    ['{ "filterCells": { "sise": 20 } }', /params\.json: filterCells: column must be one of x, y, z, size/],
    ['[]', /params\.json: parameters must be an object/],
    ['{ "maxima": ', /params\.json: is no JSON/],
  ];
  for (const [text, pattern] of cases) {
    await writeFile(file, text);
    for (const command of [
      ['detect', MINI, '--out', join(folder, 'cells.csv')],
      ['plan', MINI],
    ]) {
      await refuses(t, folder, [...command, '--params', file], pattern);
    }
  }
});

test('a table or range that filter cannot use is one line that names it', async (t) => {
  const folder = await scratch(t);
  const table = join(folder, 'cells.csv');
  const out = join(folder, 'kept.csv');
  await copyFile(inProject('test/reference/mini_default.csv'), table);
  await writeFile(join(folder, 'words.csv'), 'x,y,z\n1,2,three\n');
  const cases: [string[], RegExp][] = [
    [[table, '--out', out], /filter: no range is given/],
    [[table, '--out', out, '--size', 'big'], /--size must be a range 'min:max'/],
    [[table, '--out', out, '--size', ':'], /--size/],
    [[table, '--out', out, '--size', '30:20'], /size\.min must be at most its max/],
    [
      [table, '--out', out, '--where', 'sise=1:2'],
      /column must be one of x, y, z, size, source, background, got 'sise'/,
    ],
    [[table, '--out', out, '--where', '1:2'], /--where must be 'column=min:max'/],
    [[table, '--out', out, '--size', '1:2', '--where', 'size=3:4'], /--where must be one range a column/],
    [[table, '--out', table, '--size', '1:2'], /--out must be another file than the source/],
    [[join(folder, 'absent.csv'), '--out', out, '--size', '1:2'], /absent\.csv/],
    [[join(folder, 'words.csv'), '--out', out, '--where', 'x=1:2'], /words\.csv: line 2, column z/],
    [[table, '--size', '1:2'], /--out/],
  ];
  for (const [args, pattern] of cases) await refuses(t, folder, ['filter', ...args], pattern);
});

test('info and plan refuse what they cannot read, in one line', async (t) => {
  const folder = await scratch(t);
  for (const command of ['info', 'plan']) {
    await refuses(t, folder, [command, join(folder, 'absent.npy')], /absent\.npy: no such file/);
  }
  await refuses(t, folder, ['plan', MINI, '--memory', '20KiB'], /needs .* the budget has/);
});
