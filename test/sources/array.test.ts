import test from 'ava';
import fc from 'fast-check';
import { OptionError } from '../../core/errors.js';
import { arrayVolume } from '../../sources/array.js';
import { cut, readRegion, regionsWithin, same, whole } from '../support/reading.js';
import { someStored } from '../support/stored.js';

const dtypes = ['uint8', 'uint16', 'float32'] as const;

test('any region of an array of each type reads as its voxels', async (t) => {
  const extent = fc.integer({ min: 1, max: 6 });
  const cases = fc
    .record({ z: extent, y: extent, x: extent })
    .chain((size) =>
      fc.record({ size: fc.constant(size), region: regionsWithin(size), type: fc.constantFrom(...dtypes) }),
    );
  const reached = { uint8: 0, uint16: 0, float32: 0 };
  await fc.assert(
    fc.asyncProperty(cases, async ({ size, region, type }) => {
      const data = someStored(type, size.z * size.y * size.x);
      const volume = arrayVolume(data, size);
      t.is(volume.dtype, type);
      reached[type]++;
      return same(await readRegion(volume, region), cut(data, size, region));
    }),
    { numRuns: 300 },
  );
  for (const [what, times] of Object.entries(reached)) t.true(times > 0, `no drawn case was ${what}`);
});

test('an array that does not match its size, or a size that is none, is refused', (t) => {
  const size = { z: 2, y: 3, x: 4 };
  t.throws(() => arrayVolume(new Uint16Array(23), size), {
    instanceOf: OptionError,
    message: 'arrayVolume: data must be of 24 voxels, as size says, got 23',
  });
  t.throws(() => arrayVolume(new Int16Array(24) as unknown as Uint16Array, size), {
    instanceOf: OptionError,
    message: /^arrayVolume: data must be a Uint8Array, Uint16Array or Float32Array, got '\[object Int16Array\]'$/,
  });
  t.throws(() => arrayVolume([1, 2] as unknown as Uint16Array, size), { instanceOf: OptionError });
  t.throws(() => arrayVolume(new Uint16Array(0), { z: 0, y: 3, x: 4 }), { instanceOf: OptionError });
  t.throws(() => arrayVolume(new Uint16Array(24), { z: 2.5, y: 3, x: 4 }), { instanceOf: OptionError });
  t.throws(() => arrayVolume(new Uint16Array(24), size, { voxelSizeUm: { z: 0, y: 1, x: 1 } }), {
    instanceOf: OptionError,
  });
});

test('an array has the id and voxel size given, and an id of its own otherwise', (t) => {
  const size = { z: 1, y: 1, x: 1 };
  const voxelSizeUm = { z: 5, y: 1.6, x: 1.6 };
  const named = arrayVolume(new Uint16Array(1), size, { id: 'mine', voxelSizeUm });
  t.like(named, { id: 'mine', voxelSizeUm, dtype: 'uint16', size });
  t.not(arrayVolume(new Uint16Array(1), size).id, arrayVolume(new Uint16Array(1), size).id);
});

test('a read into an array of another type or length is refused', async (t) => {
  const size = { z: 1, y: 2, x: 2 };
  const { signal } = new AbortController();
  const volume = arrayVolume(new Float32Array(4), size, { id: 'floats' });
  await t.throwsAsync(volume.read(whole(size), new Uint16Array(4), signal), {
    instanceOf: OptionError,
    message: "read floats: into must be a Float32Array of 4 voxels, got 'Uint16Array of 4'",
  });
  await t.throwsAsync(volume.read(whole(size), new Float32Array(3), signal), { instanceOf: OptionError });
});

test('an aborted read rejects with the reason', async (t) => {
  const volume = arrayVolume(new Uint16Array(1), { z: 1, y: 1, x: 1 });
  const read = readRegion(volume, whole({ z: 1, y: 1, x: 1 }), AbortSignal.abort(new Error('stop')));
  await t.throwsAsync(read, { message: 'stop' });
});
