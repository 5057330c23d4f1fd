import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { SourceError } from '../../core/errors.js';
import { tissueMask } from '../../sources/tissueMask.js';
import { writeNpy } from '../support/npy.js';
import { readRegion, same, whole } from '../support/reading.js';
import { numberTypes, storedBytes } from '../support/stored.js';
import { tempFolder } from '../support/temp.js';
import { type TiffOptions, tiffPagesBytes, writeTiff } from '../support/tiff.js';

const size = { z: 3, y: 19, x: 21 };
const pixels = size.y * size.x;

/** 0 outside, various values inside. */
function someMask(count: number, most: number): number[] {
  return Array.from({ length: count }, (_, i) => (((i * 2654435761) >>> 9) % 3 === 0 ? 0 : 1 + (i % most)));
}
const planesOf = (mask: readonly number[]) => [0, 1, 2].map((z) => mask.slice(z * pixels, (z + 1) * pixels));

test('the pages of one file become 0 outside and 1 inside, for each type, byte order, layout and compression', async (t) => {
  const path = join(await tempFolder(t), 'mask.tif');
  const drawn = fc.record(
    {
      type: fc.constantFrom(...numberTypes),
      bigEndian: fc.boolean(),
      deflate: fc.boolean(),
      rowsPerStrip: fc.constantFrom(1, 5, 19),
      tile: fc.constantFrom(16, 32),
    },
    { requiredKeys: ['type', 'bigEndian', 'deflate'] },
  );
  const reached: Record<string, number> = {};
  await fc.assert(
    fc.asyncProperty(drawn, async (options) => {
      const mask = someMask(size.z * pixels, 120);
      await writeFile(path, tiffPagesBytes(planesOf(mask), size.y, size.x, options));
      const volume = await tissueMask(path);
      t.deepEqual(volume.size, size);
      const what = `${options.type} ${options.deflate} ${options.bigEndian && options.type !== 'uint8'}`;
      reached[what] = (reached[what] ?? 0) + 1;
      const expected = Uint8Array.from(mask, (value) => (value === 0 ? 0 : 1));
      return same(await readRegion(volume, whole(size)), expected);
    }),
    { numRuns: 150 },
  );
  t.is(Object.keys(reached).length, 4 * numberTypes.length - 2, Object.keys(reached).join(', '));
});

test('a file that another program compressed with LZW reads as it was drawn', async (t) => {
  // Pillow 9.4: two pages of 5 rows of 7, 255 at every third pixel of the whole.
  const file =
    'SUkqABoAAACAP8AACBQSBwWEQeFQaGQmAgAJAAABAwABAAAABwAAAAEBAwABAAAABQAAAAIBAwABAAAACAAAAAMBAwABAAAABQAAAAYBAwABAAAA' +
    'AQAAABEBBAABAAAACAAAABYBAwABAAAABQAAABcBBAABAAAAEQAAABwBAwABAAAAAQAAAKoAAAAAAAAASUkqABoAAACAAB/gCBQSBwWEQeFQaGQm' +
    'AgAJAAABAwABAAAABwAAAAEBAwABAAAABQAAAAIBAwABAAAACAAAAAMBAwABAAAABQAAAAYBAwABAAAAAQAAABEBBAABAAAAmAAAABYBAwABAAAA' +
    'BQAAABcBBAABAAAAEQAAABwBAwABAAAAAQAAAAAAAAAAAAAA';
  const path = join(await tempFolder(t), 'mask.TIFF');
  await writeFile(path, Buffer.from(file, 'base64'));
  const mask = await tissueMask(path);
  t.deepEqual(mask.size, { z: 2, y: 5, x: 7 });
  const expected = Uint8Array.from({ length: 70 }, (_, i) => (i % 3 === 0 ? 1 : 0));
  t.true(same(await readRegion(mask, whole({ z: 2, y: 5, x: 7 })), expected));
});

test('a .npy file, a folder and a pattern read as sources do', async (t) => {
  const folder = await tempFolder(t);
  const mask = Float32Array.from(someMask(size.z * pixels, 7));
  await writeNpy(join(folder, 'mask.npy'), { size, data: mask });
  const bits = Uint8Array.from(mask, (value) => (value === 0 ? 0 : 1));
  const header = "{'descr': '|b1', 'fortran_order': False, 'shape': (3, 19, 21), }\n";
  const lead = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0]);
  await writeFile(join(folder, 'bits.npy'), Buffer.concat([lead, Buffer.from(header), storedBytes('bool', bits)]));
  const planes = join(folder, 'planes.tif');
  await mkdir(planes);
  for (const [z, plane] of planesOf([...bits]).entries())
    await writeTiff(join(planes, `p${z}.tif`), plane, size.y, size.x, { type: 'uint8' });
  t.true(same(await readRegion(await tissueMask(join(folder, 'mask.npy')), whole(size)), mask));
  for (const path of [join(folder, 'bits.npy'), planes, join(planes, 'p<Z>.tif')])
    t.true(same(await readRegion(await tissueMask(path), whole(size)), bits), path);
});

const planes = planesOf(someMask(3 * pixels, 9));
const sound: TiffOptions = {};
const bad: readonly (readonly [claim: string, file: Buffer, message: RegExp])[] = [
  [
    'pages of unlike type',
    tiffPagesBytes(planes, size.y, size.x, [sound, { type: 'uint8' }, sound]),
    /page 1, expected uint16 as the first, got uint8$/,
  ],
  [
    'pages of unlike size',
    tiffPagesBytes(planes, size.y, size.x, [sound, sound, { tags: { 257: 18, 278: 18 } }]),
    /page 2, expected 19 rows of 21 as the first, got 18 of 21$/,
  ],
  ['three samples', tiffPagesBytes(planes, size.y, size.x, { tags: { 277: 3 } }), /expected 1 sample, got 3 samples$/],
  [
    'a stack in one page',
    tiffPagesBytes(planes, size.y, size.x, { description: 'ImageJ=1.53t\nimages=4\n' }),
    /page, expected one image, got 4 in the way of ImageJ$/,
  ],
  [
    'a compression that nobody knows',
    tiffPagesBytes(planes, size.y, size.x, { tags: { 259: 4711 } }),
    /expected whole pixels, got: Unknown compression method identifier: 4711$/,
  ],
  [
    'pixels that are no deflate stream',
    tiffPagesBytes(planes, size.y, size.x, { tags: { 259: 8 } }),
    /not a TIFF file that can be read, expected whole pixels, got: .+$/,
  ],
  [
    'its last pixel cut off',
    tiffPagesBytes(planes, size.y, size.x).subarray(0, -1),
    /ends at byte \d+, expected at least \d+ bytes$/,
  ],
  [
    'no byte counts',
    tiffPagesBytes(planes, size.y, size.x, { tags: { 279: null } }),
    /byte counts, expected 1, got undefined$/,
  ],
  [
    'more voxels than a mask may have',
    tiffPagesBytes(planes, size.y, size.x, { tags: { 256: 2 ** 30, 257: 8 } }),
    /mask, expected at most 2147483648 voxels, got 3 x 8 x 1073741824$/,
  ],
  ['no bytes at all', Buffer.alloc(0), /not a TIFF file that can be read, /],
  ['text in it', Buffer.from('no mask'), /not a TIFF file that can be read, /],
];
for (const [claim, file, message] of bad) {
  test(`a file with ${claim} is refused in one line that names it`, async (t) => {
    const path = join(await tempFolder(t), 'mask.tif');
    await writeFile(path, file);
    const error = await t.throwsAsync(tissueMask(path), { instanceOf: SourceError, message });
    t.true(error?.message.startsWith(`${path}: `));
    t.false(error?.message.includes('\n'));
  });
}

test('pages that lead back to an earlier one are refused, not read for ever', async (t) => {
  const path = join(await tempFolder(t), 'mask.tif');
  const file = tiffPagesBytes(planes, size.y, size.x);
  // Each page begins with its count of tags; the pointer to the next page is behind the last tag.
  const pointerAt = (tags: number) => tags + 2 + 12 * file.readUInt16LE(tags);
  const second = file.readUInt32LE(pointerAt(8));
  const third = file.readUInt32LE(pointerAt(second));
  for (const back of [8, second, third]) {
    file.writeUInt32LE(back, pointerAt(third));
    await writeFile(path, file);
    await t.throwsAsync(tissueMask(path), {
      instanceOf: SourceError,
      message: `${path}: pages, expected an end, got one that comes again`,
    });
  }
});

test('what is missing or of another kind is refused', async (t) => {
  const folder = await tempFolder(t);
  const missing = join(folder, 'none.tif');
  await t.throwsAsync(tissueMask(missing), {
    instanceOf: SourceError,
    message: /none\.tif: no such file or directory/,
  });
  await writeFile(join(folder, 'mask.png'), 'a picture');
  await t.throwsAsync(tissueMask(join(folder, 'mask.png')), {
    instanceOf: SourceError,
    message: /unknown kind of file/,
  });
});
