import { readdirSync, readlinkSync } from 'node:fs';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { SourceError } from '../../core/errors.js';
import type { Zyx } from '../../core/geometry.js';
import { type StoredType, storedTypes } from '../../native/fileReader.js';
import { npy } from '../../sources/npy.js';
import { cut, readRegion, regionsWithin, same, someVoxels, whole } from '../support/reading.js';
import { someStored, storedBytes } from '../support/stored.js';
import { tempFolder } from '../support/temp.js';

interface Parts {
  readonly magic?: string;
  readonly version?: number;
  readonly header?: string;
  readonly data?: Uint8Array;
}

function file({ magic = '\x93NUMPY', version = 1, header = '', data = new Uint8Array() }: Parts): Buffer {
  const text = Buffer.from(header, version === 3 ? 'utf8' : 'latin1');
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  if (version === 1) length.writeUInt16LE(text.length);
  else length.writeUInt32LE(text.length);
  return Buffer.concat([Buffer.from(magic, 'latin1'), Buffer.from([version, 0]), length, text, data]);
}

const header = (shape: string, descr = "'<u2'", fortran = 'False') =>
  `{'descr': ${descr}, 'fortran_order': ${fortran}, 'shape': ${shape}, }         \n`;
const bytes = (data: Uint16Array) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
const size: Zyx = { z: 4, y: 5, x: 7 };

const descrs = { bool: 'b1', uint8: 'u1', uint16: 'u2', int16: 'i2', uint32: 'u4', float32: 'f4' } as const;
const dtypes = {
  bool: 'uint8',
  uint8: 'uint8',
  uint16: 'uint16',
  int16: 'uint16',
  uint32: 'uint16',
  float32: 'float32',
} as const;
/** As NumPy writes it; one byte has no order. */
const descrOf = (type: StoredType, big: boolean) =>
  `'${type === 'bool' || type === 'uint8' ? '|' : big ? '>' : '<'}${descrs[type]}'`;

test('any region of a file reads as the voxels that were saved, for each type, version, byte order and axis order', async (t) => {
  const folder = await tempFolder(t);
  const reached: Record<string, number> = {};
  const drawn = fc.record({
    region: regionsWithin(size),
    type: fc.constantFrom(...storedTypes),
    version: fc.constantFrom(1, 2, 3),
    big: fc.boolean(),
    fortran: fc.boolean(),
    odd: fc.boolean(),
  });
  let file_ = 0;
  await fc.assert(
    fc.asyncProperty(drawn, async ({ region, type, version, big, fortran, odd }) => {
      const path = join(folder, `${file_++}.npy`);
      const data = someStored(type, 4 * 5 * 7);
      const stored = storedBytes(type, data, big);
      // An odd length of the header puts the voxels at odd places in the file.
      const text = header(fortran ? '(7, 5, 4)' : '(4, 5, 7)', descrOf(type, big), fortran ? 'True' : 'False');
      const lead = text.length % 2 === (odd ? 0 : 1) ? ` ${text}` : text;
      await writeFile(path, file({ version, header: lead, data: stored }));
      const volume = await npy(path);
      t.deepEqual(volume.size, size);
      t.is(volume.dtype, dtypes[type]);
      for (const what of [type, `${big ? 'big' : 'little'} ${type}`]) reached[what] = (reached[what] ?? 0) + 1;
      return same(await readRegion(volume, region), cut(data, size, region));
    }),
    { numRuns: 300 },
  );
  t.is(Object.keys(reached).length, 3 * storedTypes.length, Object.keys(reached).join(', '));
});

test('a negative int16 and a uint32 above 65535 are refused with the voxel and the value, wherever they lie', async (t) => {
  const path = join(await tempFolder(t), 'signed.npy');
  const drawn = fc.record({
    at: fc.nat(4 * 5 * 7 - 1),
    value: fc.constantFrom(-1, -32768, 65536, 2 ** 32 - 1, 2 ** 31),
    big: fc.boolean(),
    region: regionsWithin(size),
  });
  const reached = { outsideOfRegion: 0, inside: 0 };
  await fc.assert(
    fc.asyncProperty(drawn, async ({ at, value, big, region }) => {
      const type = value < 0 ? 'int16' : 'uint32';
      const values = Array.from(someStored(type, 4 * 5 * 7));
      values[at] = value;
      await writeFile(path, file({ header: header(shape, descrOf(type, big)), data: storedBytes(type, values, big) }));
      const volume = await npy(path);
      const [z, y, x] = [Math.floor(at / 35), Math.floor(at / 7) % 5, at % 7];
      const { start, stop } = region;
      const inside = z >= start.z && z < stop.z && y >= start.y && y < stop.y && x >= start.x && x < stop.x;
      reached[inside ? 'inside' : 'outsideOfRegion']++;
      const read = readRegion(volume, region);
      if (!inside) return same(await read, cut(Uint16Array.from(values), size, region));
      await t.throwsAsync(read, {
        instanceOf: SourceError,
        message: `${path}: voxel at z ${z}, y ${y}, x ${x}, expected a value of 0..65535, got ${value}`,
      });
      return true;
    }),
    { numRuns: 200 },
  );
  for (const [what, times] of Object.entries(reached)) t.true(times > 0, `no drawn case was ${what}`);
});

const shape = '(4, 5, 7)';
const enough = new Uint8Array(2 * 4 * 5 * 7);
const bad: readonly (readonly [claim: string, parts: Parts, message: RegExp])[] = [
  [
    'another magic',
    { magic: '\x93NUMPZ' },
    /not an NPY file, expected it to begin with 934e554d5059, got '934e554d505a'$/,
  ],
  ['version 4', { version: 4, header: header(shape) }, /NPY version, expected 1, 2 or 3, got 4$/],
  ['float64', { header: header(shape, "'<f8'"), data: enough }, /voxel type, expected bool, .*float32, got '<f8'$/],
  ['int8', { header: header(shape, "'|i1'"), data: enough }, /expected bool, .*, got '\|i1'$/],
  ['a 16 bit type without byte order', { header: header(shape, "'|u2'"), data: enough }, /, got '\|u2'$/],
  ['no name of a type', { header: header(shape, "'constructor'"), data: enough }, /, got 'constructor'$/],
  [
    'a structured type',
    { header: header(shape, "[('a', '<u2')]"), data: enough },
    /expected bool, .*, got a structured type$/,
  ],
  ['two axes', { header: header('(20, 7)'), data: enough }, /expected 3 axes, got 2: \(20, 7\)$/],
  ['one axis', { header: header('(7,)'), data: enough }, /expected 3 axes, got 1: \(7\)$/],
  ['four axes', { header: header('(1, 4, 5, 7)'), data: enough }, /expected 3 axes, got 4: \(1, 4, 5, 7\)$/],
  ['no axes', { header: header('()'), data: enough }, /expected 3 axes, got 0/],
  [
    'an axis of length 0',
    { header: header('(4, 0, 7)') },
    /expected at least one voxel along each axis, got \(4, 0, 7\)$/,
  ],
  ['a negative extent', { header: header('(4, -5, 7)') }, /shape, expected a tuple of whole numbers, got 4,-5,7$/],
  ['a fractional extent', { header: header('(4, 5.5, 7)') }, /header cannot be parsed: /],
  ['a number as shape', { header: header('(7)') }, /shape, expected a tuple of whole numbers, got 7$/],
  [
    'a fourth key',
    { header: `{'a': 1, ${header(shape).slice(1)}` },
    /expected a dictionary of descr, fortran_order, shape, got a, descr/,
  ],
  ['no dictionary', { header: '(1, 2)' }, /expected a dictionary of .*, got no dictionary$/],
  [
    'code in its header',
    { header: "{'descr': __import__('os').getcwd()}" },
    /header cannot be parsed: expected a Python literal, got '\.' at character 26$/,
  ],
  ['an unclosed header', { header: "{'descr': '<u2'" }, /header cannot be parsed: expected ',' or '}', got the end$/],
  [
    'two bytes too few',
    { header: header(shape), data: enough.subarray(2) },
    /ends at byte \d+, expected at least \d+ bytes$/,
  ],
];
for (const [claim, parts, message] of bad) {
  test(`a file with ${claim} is refused in one line that names it`, async (t) => {
    const path = join(await tempFolder(t), 'bad.npy');
    await writeFile(path, file(parts));
    const error = await t.throwsAsync(npy(path), { instanceOf: SourceError, message });
    t.true(error?.message.startsWith(`${path}: `));
    t.false(error?.message.includes('\n'));
  });
}

test('a file cut anywhere before its end is refused as such', async (t) => {
  const path = join(await tempFolder(t), 'cut.npy');
  const complete = file({ header: header(shape), data: enough });
  for (let length = 0; length < complete.length; length++) {
    await writeFile(path, complete.subarray(0, length));
    await t.throwsAsync(npy(path), { instanceOf: SourceError });
  }
  await writeFile(path, complete);
  await t.notThrowsAsync(npy(path));
});

test('a missing file and a folder are refused in one line', async (t) => {
  const folder = await tempFolder(t);
  const missing = join(folder, 'missing.npy');
  await t.throwsAsync(npy(missing), {
    instanceOf: SourceError,
    message: `${missing}: cannot be opened: no such file or directory (ENOENT)`,
  });
  await t.throwsAsync(npy(folder), { instanceOf: SourceError, message: /expected an NPY file, got a folder/ });
});

test('bytes after the array are ignored, as NumPy does', async (t) => {
  const path = join(await tempFolder(t), 'longer.npy');
  const data = someVoxels(4 * 5 * 7);
  await writeFile(path, Buffer.concat([file({ header: header(shape), data: bytes(data) }), Buffer.alloc(13)]));
  t.true(same(await readRegion(await npy(path), whole(size)), data));
});

test('a file that shrinks after it was opened makes a read fail with its name, not with zeros', async (t) => {
  const path = join(await tempFolder(t), 'shrinks.npy');
  await writeFile(path, file({ header: header(shape), data: enough }));
  const volume = await npy(path);
  await truncate(path, 150);
  await t.throwsAsync(readRegion(volume, whole(size)), {
    instanceOf: SourceError,
    message: `${path}: ends at byte 150, expected at least ${10 + header(shape).length + 280} bytes`,
  });
});

test('regions outside the volume and arrays of another length or type are refused', async (t) => {
  const path = join(await tempFolder(t), 'v.npy');
  await writeFile(path, file({ header: header(shape), data: enough }));
  const volume = await npy(path);
  const { signal } = new AbortController();
  const all = whole(size);
  await t.throwsAsync(readRegion(volume, { ...all, stop: { ...size, x: 8 } }), { name: 'OptionError' });
  await t.throwsAsync(readRegion(volume, { ...all, start: { z: -1, y: 0, x: 0 } }), { name: 'OptionError' });
  await t.throwsAsync(volume.read(all, new Uint16Array(139), signal), { name: 'OptionError' });
  await t.throwsAsync(volume.read(all, new Uint8Array(140), signal), { name: 'OptionError' });
});

test('an aborted read rejects with the reason', async (t) => {
  const path = join(await tempFolder(t), 'v.npy');
  await writeFile(path, file({ header: header(shape), data: enough }));
  const volume = await npy(path);
  await t.throwsAsync(readRegion(volume, whole(size), AbortSignal.abort(new Error('stop'))), { message: 'stop' });
  const aborting = new AbortController();
  const read = readRegion(volume, whole(size), aborting.signal);
  aborting.abort(new Error('stop now'));
  await t.throwsAsync(read, { message: 'stop now' });
});

test('the file is closed soon after the last read', async (t) => {
  const path = join(await tempFolder(t), 'v.npy');
  await writeFile(path, file({ header: header(shape), data: enough }));
  const volume = await npy(path);
  await Promise.all(Array.from({ length: 20 }, () => readRegion(volume, whole(size))));
  const open = () =>
    readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`) === path;
      } catch {
        return false;
      }
    }).length;
  if (process.platform !== 'linux') return t.pass();
  t.is(open(), 1);
  for (let waited = 0; open() > 0 && waited < 5000; waited += 50) await new Promise((done) => setTimeout(done, 50));
  t.is(open(), 0);
  t.true(same(await readRegion(volume, whole(size)), new Uint16Array(140)));
});
