import test from 'ava';
import fc from 'fast-check';
import { OptionError } from '../../core/errors.js';
import { arrayVolume } from '../../sources/array.js';
import { cut, readRegion, regionsWithin, same, someVoxels, whole } from '../support/reading.js';

test('any region of an array reads as its voxels', async (t) => {
  const extent = fc.integer({ min: 1, max: 6 });
  const cases = fc
    .record({ z: extent, y: extent, x: extent })
    .chain((size) => regionsWithin(size).map((region) => ({ size, region })));
  await fc.assert(
    fc.asyncProperty(cases, async ({ size, region }) => {
      const data = someVoxels(size.z * size.y * size.x);
      return same(await readRegion(arrayVolume(data, size), region), cut(data, size, region));
    }),
    { numRuns: 300 },
  );
  t.pass();
});

test('an array that does not match its size, or a size that is none, is refused', (t) => {
  const size = { z: 2, y: 3, x: 4 };
  t.throws(() => arrayVolume(new Uint16Array(23), size), {
    instanceOf: OptionError,
    message: 'arrayVolume: data must be of 24 voxels, as size says, got 23',
  });
  t.throws(() => arrayVolume(new Uint8Array(24) as unknown as Uint16Array, size), { instanceOf: OptionError });
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

test('an aborted read rejects with the reason', async (t) => {
  const volume = arrayVolume(new Uint16Array(1), { z: 1, y: 1, x: 1 });
  const read = readRegion(volume, whole({ z: 1, y: 1, x: 1 }), AbortSignal.abort(new Error('stop')));
  await t.throwsAsync(read, { message: 'stop' });
});
