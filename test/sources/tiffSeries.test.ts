import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { fromFile } from 'geotiff';
import { OptionError, SourceError } from '../../core/errors.js';
import type { Zyx } from '../../core/geometry.js';
import type { StoredType } from '../../native/fileReader.js';
import { inNaturalOrder, planeFiles } from '../../sources/planeFiles.js';
import { tiffSeries } from '../../sources/tiffSeries.js';
import { cut, readRegion, regionsWithin, same, someVoxels, whole } from '../support/reading.js';
import { numberTypes, someStored } from '../support/stored.js';
import { tempFolder } from '../support/temp.js';
import { type TiffOptions, tiffBytes, writeTiff } from '../support/tiff.js';

/** Tests run in dist/test/sources, so the package's root is three up. */
const mini = fileURLToPath(new URL('../../../examples/data/mini', import.meta.url));

test('the crop in the repository reads as geotiff reads it', async (t) => {
  const volume = await tiffSeries(mini);
  t.deepEqual(volume.size, { z: 30, y: 256, x: 256 });
  t.is(volume.chunks, undefined, 'any rows of it can be read');
  for (const z of [0, 17, 29]) {
    const tiff = await fromFile(join(mini, `ch${String(z).padStart(5, '0')}.tif`));
    const [pixels] = (await (await tiff.getImage()).readRasters()) as unknown as [Uint16Array];
    await tiff.close();
    const read = await readRegion(volume, { start: { z, y: 0, x: 0 }, stop: { z: z + 1, y: 256, x: 256 } });
    t.true(same(read, pixels), `plane ${z}`);
  }
});

test('a pattern names the same planes as its folder', async (t) => {
  const [folder, pattern] = [await tiffSeries(mini), await tiffSeries(join(mini, 'ch<Z,5>.tif'))];
  t.deepEqual(pattern.size, folder.size);
  const region = { start: { z: 3, y: 100, x: 7 }, stop: { z: 12, y: 140, x: 250 } };
  t.true(same(await readRegion(pattern, region), await readRegion(folder, region)));
});

test('blocks follow the tiles of planes, but not their strips', async (t) => {
  const folder = await tempFolder(t);
  for (const [parts, chunks] of [
    [{ tile: 16 }, { z: 1, y: 16, x: 16 }],
    [{ rowsPerStrip: 2 }, undefined],
  ] as const) {
    const path = join(folder, `${Object.keys(parts)[0]}0.tif`);
    await writeTiff(path, new Uint16Array(37 * 23), 37, 23, parts);
    t.deepEqual((await tiffSeries(path.replace('0.tif', '<Z,1>.tif'))).chunks, chunks);
  }
});

const size: Zyx = { z: 3, y: 37, x: 23 };
const pixels = size.y * size.x;

test('any region of each type reads the same from strips, tiles, either byte order, gaps and any order of parts, mixed in one series', async (t) => {
  const folder = await tempFolder(t);
  const reached = { strips: 0, tiles: 0, big: 0, gaps: 0, reversed: 0, mixed: 0 };
  const types: Partial<Record<StoredType, number>> = {};
  const layout = fc.record(
    {
      bigEndian: fc.boolean(),
      rowsPerStrip: fc.constantFrom(1, 2, 5, 36, 37),
      tile: fc.constantFrom(16, 32, 64),
      gapBytes: fc.constantFrom(2, 7),
      reversed: fc.boolean(),
    },
    { requiredKeys: [] },
  );
  let series = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(layout, layout, layout),
      regionsWithin(size),
      fc.constantFrom(...numberTypes),
      async (layouts, region, type) => {
        const data = someStored(type, size.z * pixels);
        types[type] = (types[type] ?? 0) + 1;
        const path = join(folder, `${series++}`);
        await mkdir(path);
        for (const [z, drawn] of layouts.entries()) {
          const plane = data.subarray(z * pixels, (z + 1) * pixels);
          await writeTiff(join(path, `p${z}.tif`), plane, size.y, size.x, { ...drawn, type });
          if (drawn.tile) reached.tiles++;
          else if ((drawn.rowsPerStrip ?? 37) < 37) reached.strips++;
          if (drawn.bigEndian) reached.big++;
          if (drawn.gapBytes) reached.gaps++;
          if (drawn.reversed) reached.reversed++;
        }
        if (new Set(layouts.map((drawn) => drawn.tile ?? drawn.rowsPerStrip)).size > 1) reached.mixed++;
        const volume = await tiffSeries(path);
        const read = await readRegion(volume, region);
        // Again, with the tags remembered.
        return same(read, cut(data, size, region)) && same(await readRegion(volume, region), read);
      },
    ),
    { numRuns: 250 },
  );
  t.is(Object.keys(types).length, numberTypes.length);
  for (const [what, times] of Object.entries(reached)) t.true(times > 0, `no drawn case was ${what}`);
});

test('a big-endian file of many strips with gaps reads right though its list of offsets lies far from its tags', async (t) => {
  const folder = await tempFolder(t);
  const data = someVoxels(1000 * 4);
  await writeTiff(join(folder, 'a.tif'), data, 1000, 4, { bigEndian: true, rowsPerStrip: 1, gapBytes: 2 });
  t.true(same(await readRegion(await tiffSeries(folder), whole({ z: 1, y: 1000, x: 4 })), data));
});

const plane = someVoxels(12 * 10);
async function seriesWith(t: ExecutionContext, options: TiffOptions, height = 12, width = 10): Promise<string> {
  const folder = await tempFolder(t);
  await writeTiff(join(folder, 'a0.tif'), plane, 12, 10);
  await writeTiff(join(folder, 'a1.tif'), plane, height, width, options);
  return folder;
}

const badFiles: readonly (readonly [claim: string, options: TiffOptions, message: RegExp])[] = [
  ['LZW compression', { tags: { 259: 5 } }, /compression, expected none, got TIFF scheme 5$/],
  ['8 bits', { tags: { 258: 8 } }, /pixel type, expected uint16 as in .*a0\.tif, got uint8$/],
  ['signed pixels', { tags: { 339: 2 } }, /pixel type, expected uint16 as in .*a0\.tif, got int16$/],
  ['half floats', { tags: { 339: 3 } }, /pixel type, expected one of uint8, .*, float32, got float16$/],
  ['64 bits', { tags: { 258: 64 } }, /pixel type, expected one of .*, got uint64$/],
  ['complex pixels', { tags: { 339: 5 } }, /pixel type, expected one of .*, got format 5 of 16$/],
  ['three samples', { tags: { 277: 3 } }, /pixel, expected 1 sample, got 3 samples$/],
  ['a second page', { nextPage: 8 }, /file, expected one page, got several$/],
  [
    'a stack in the way of ImageJ',
    { description: 'ImageJ=1.53t\nimages=4\nslices=4\n' },
    /expected one page, got several$/,
  ],
  ['no width', { tags: { 256: null } }, /image, expected at least one pixel, got 12 rows of 0$/],
  ['no strip offsets', { tags: { 273: null } }, /offsets, expected 1 strips, got 0$/],
  ['too many strip offsets', { tags: { 273: [200, 300] } }, /offsets, expected 1 strips, got 2$/],
  ['a strip that is too short', { tags: { 279: 239 } }, /strip 0, expected 240 bytes, got 239$/],
  ['a strip before the header', { tags: { 273: 0 } }, /strip 0, expected it after the header, got byte 0$/],
  ['its last pixel cut off', { cutBytes: 2 }, /ends at byte \d+, expected at least \d+ bytes$/],
  ['its tags cut off', { cutBytes: 300 }, /not a TIFF file that can be read, expected whole tags, got: /],
];
for (const [claim, options, message] of badFiles) {
  test(`a file with ${claim} is refused, by its name, when it is first read`, async (t) => {
    const folder = await seriesWith(t, options);
    const volume = await tiffSeries(folder);
    const first = { start: { z: 0, y: 0, x: 0 }, stop: { z: 1, y: 12, x: 10 } };
    t.true(same(await readRegion(volume, first), plane));
    const error = await t.throwsAsync(readRegion(volume, whole({ z: 2, y: 12, x: 10 })), {
      instanceOf: SourceError,
      message,
    });
    t.true(error?.message.startsWith(`${join(folder, 'a1.tif')}: `));
    t.false(error?.message.includes('\n'));
  });
}

test('a plane of another size than the first is refused with both sizes', async (t) => {
  const folder = await seriesWith(t, {}, 10, 12);
  await t.throwsAsync(readRegion(await tiffSeries(folder), whole({ z: 2, y: 12, x: 10 })), {
    instanceOf: SourceError,
    message: `${join(folder, 'a1.tif')}: plane, expected 12 rows of 10 as in ${join(folder, 'a0.tif')}, got 10 of 12`,
  });
});

test('a plane of another type than the first is refused with both types', async (t) => {
  const folder = await seriesWith(t, { type: 'float32' });
  await t.throwsAsync(readRegion(await tiffSeries(folder), whole({ z: 2, y: 12, x: 10 })), {
    instanceOf: SourceError,
    message: `${join(folder, 'a1.tif')}: pixel type, expected uint16 as in ${join(folder, 'a0.tif')}, got float32`,
  });
});

test('a pixel below 0 or above 65535 is refused with its file, voxel and value, in strips and in tiles', async (t) => {
  for (const [type, value] of [
    ['int16', -7],
    ['uint32', 70_000],
  ] as const) {
    for (const parts of [{ rowsPerStrip: 5 }, { tile: 16 }, { rowsPerStrip: 5, gapBytes: 2 }]) {
      const folder = await tempFolder(t);
      const values = Array.from(someStored(type, pixels));
      await writeTiff(join(folder, 'a0.tif'), values, size.y, size.x, { type, ...parts });
      values[30 * size.x + 20] = value;
      await writeTiff(join(folder, 'a1.tif'), values, size.y, size.x, { type, bigEndian: true, ...parts });
      const volume = await tiffSeries(folder);
      const region = { start: { z: 0, y: 3, x: 2 }, stop: { z: 2, y: 37, x: 23 } };
      await t.throwsAsync(readRegion(volume, region), {
        instanceOf: SourceError,
        message: `${join(folder, 'a1.tif')}: voxel at z 1, y 30, x 20, expected a value of 0..65535, got ${value}`,
      });
      t.is(volume.dtype, 'uint16');
    }
  }
});

test('a first file that is no TIFF, empty or cut anywhere is refused when the series is opened', async (t) => {
  const folder = await tempFolder(t);
  const path = join(folder, 'a.tif');
  const complete = tiffBytes(plane, 12, 10, { rowsPerStrip: 5 });
  const cuts = [...Array(260).keys(), complete.length - 1].map((length) => complete.subarray(0, length));
  for (const content of [Buffer.from('no picture at all'), ...cuts]) {
    await writeFile(path, content);
    await t.throwsAsync(tiffSeries(folder), { instanceOf: SourceError });
  }
  await writeFile(path, complete);
  await t.notThrowsAsync(tiffSeries(folder));
});

async function folderOf(t: ExecutionContext, names: readonly string[]): Promise<string> {
  const folder = await tempFolder(t);
  for (const name of names) await writeFile(join(folder, name), '');
  return folder;
}
const namesOf = async (pattern: string) =>
  (await planeFiles(pattern)).map((path) => path.slice(path.lastIndexOf('/') + 1));

test('a pattern takes numbers of exactly so many digits, in the order of the numbers', async (t) => {
  const folder = await folderOf(t, [
    'Z0010.tif',
    'Z0009.tif',
    'Z0011.tif',
    'Z00100.tif',
    'Z12.tif',
    'Z0012.tiff',
    'aZ0012.tif',
  ]);
  t.deepEqual(await namesOf(join(folder, 'Z<Z,4>.tif')), ['Z0009.tif', 'Z0010.tif', 'Z0011.tif']);
});

test('a pattern without digits takes numbers of any length', async (t) => {
  const folder = await folderOf(t, ['p[1]_9.tif', 'p[1]_10.tif', 'p[1]_8.tif', 'p[1]_x.tif', 'p[1]_.tif']);
  t.deepEqual(await namesOf(join(folder, 'p[1]_<Z>.tif')), ['p[1]_8.tif', 'p[1]_9.tif', 'p[1]_10.tif']);
});

test('missing numbers are refused with the gap', async (t) => {
  const folder = await folderOf(t, ['Z01.tif', 'Z02.tif', 'Z04.tif', 'Z08.tif']);
  const pattern = join(folder, 'Z<Z,2>.tif');
  await t.throwsAsync(planeFiles(pattern), {
    instanceOf: SourceError,
    message: `${pattern}: plane 3 is missing, expected no gap between Z02.tif and Z04.tif`,
  });
  const others = await folderOf(t, ['Z04.tif', 'Z08.tif']);
  await t.throwsAsync(planeFiles(join(others, 'Z<Z,2>.tif')), { message: /: planes 5 to 7 are missing, / });
});

test('a number that two files have, an empty match, a missing folder and an odd pattern are refused', async (t) => {
  const folder = await folderOf(t, ['Z1.tif', 'Z01.tif']);
  const twice = { instanceOf: SourceError, message: /plane 1, expected one file, got Z\d+\.tif and Z\d+\.tif$/ };
  await t.throwsAsync(planeFiles(join(folder, 'Z<Z>.tif')), twice);
  await t.throwsAsync(planeFiles(join(folder, 'Y<Z>.tif')), { instanceOf: SourceError, message: /: no planes, / });
  const missing = join(folder, 'none');
  const gone = { instanceOf: SourceError, message: /cannot be listed: no such file or directory \(ENOENT\)$/ };
  await t.throwsAsync(planeFiles(missing), gone);
  await t.throwsAsync(planeFiles(join(missing, 'Z<Z>.tif')), gone);
  await t.throwsAsync(planeFiles(await tempFolder(t)), { instanceOf: SourceError, message: /: no planes, / });
  for (const pattern of ['<Z,2>_<Z,2>.tif', '<Z,2>/a.tif', 'a<Z,0>.tif']) {
    await t.throwsAsync(planeFiles(pattern), { instanceOf: OptionError });
  }
});

test('a folder gives its TIFF files in natural order and leaves other files', async (t) => {
  const folder = await folderOf(t, [
    'a10.tif',
    'a9.TIF',
    'a2.tiff',
    'b1.tif',
    'notes.txt',
    '._a1.tif',
    'a2.tif.partial',
  ]);
  t.deepEqual(await namesOf(folder), ['a2.tiff', 'a9.TIF', 'a10.tif', 'b1.tif']);
});

test('natural order is an order: antisymmetric, transitive, total, and numeric inside equal words', (t) => {
  const name = fc.stringMatching(/^[ab0-2._]{0,6}$/);
  fc.assert(
    fc.property(name, name, name, (a, b, c) => {
      const sign = Math.sign(inNaturalOrder(a, b));
      if (sign !== -Math.sign(inNaturalOrder(b, a)) + 0) return false;
      if ((sign === 0) !== (a === b)) return false;
      return !(sign <= 0 && inNaturalOrder(b, c) <= 0) || inNaturalOrder(a, c) <= 0;
    }),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(fc.nat(), fc.nat(), (a, b) => Math.sign(inNaturalOrder(`p${a}.tif`, `p${b}.tif`)) === Math.sign(a - b)),
  );
  t.true(inNaturalOrder('20240101123456789012', '20240101123456789013') < 0);
});
