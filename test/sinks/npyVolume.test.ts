import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { OptionError, SinkError } from '../../core/errors.js';
import { type Region, voxelCount, type Zyx, zyx } from '../../core/geometry.js';
import type { ImageDtype, ImageVoxels } from '../../core/imageSink.js';
import { npyVolume } from '../../sinks/npyVolume.js';
import { whole } from '../support/reading.js';
import { tempFolder } from '../support/temp.js';

const arrays = { uint8: Uint8Array, uint16: Uint16Array, float32: Float32Array, uint32: Uint32Array } as const;
const descrs = { uint8: '|u1', uint16: '<u2', float32: '<f4', uint32: '<u4' } as const;

/** Reads the whole file by the letter of the format. */
async function load(path: string, dtype: ImageDtype): Promise<{ shape: string; data: ImageVoxels }> {
  const file = await readFile(path);
  const stop = 10 + file.readUInt16LE(8);
  const header = file.toString('latin1', 10, stop);
  const match = /^\{'descr': '(...)', 'fortran_order': False, 'shape': (\(\d+, \d+, \d+\)), \} *\n$/.exec(header);
  if (match?.[1] !== descrs[dtype]) throw new Error(`header: ${header}`);
  const bytes = Uint8Array.from(file.subarray(stop));
  return { shape: match[2] as string, data: new arrays[dtype](bytes.buffer) };
}

/** Cuts the size into boxes at the places given, axis by axis. */
function tiles(size: Zyx, cuts: Readonly<Record<'z' | 'y' | 'x', readonly number[]>>): Region[] {
  const pieces = (axis: 'z' | 'y' | 'x') => {
    const places = [...new Set([0, ...cuts[axis].map((cut) => cut % size[axis]), size[axis]])].sort((a, b) => a - b);
    return places.slice(1).map((stop, at) => [places[at] as number, stop] as const);
  };
  return pieces('z').flatMap((z) =>
    pieces('y').flatMap((y) =>
      pieces('x').map((x) => ({ start: { z: z[0], y: y[0], x: x[0] }, stop: { z: z[1], y: y[1], x: x[1] } })),
    ),
  );
}

function forEachVoxel(size: Zyx, { start, stop }: Region, visit: (at: number, place: number) => void): void {
  let at = 0;
  for (let z = start.z; z < stop.z; z++)
    for (let y = start.y; y < stop.y; y++)
      for (let x = start.x; x < stop.x; x++) visit(at++, (z * size.y + y) * size.x + x);
}

test('regions in any order and at any time make the whole image, and what is not written is 0', async (t) => {
  const folder = await tempFolder(t);
  const reached = { uint32: 0, planes: 0, rows: 0, pieces: 0, missing: 0, depthUnknown: 0, shared: 0 };
  const extent = fc.integer({ min: 1, max: 7 });
  const cuts = fc.array(fc.nat(6), { maxLength: 2 });
  const drawn = fc.record({
    size: fc.record({ z: extent, y: extent, x: extent }),
    cuts: fc.record({ z: cuts, y: cuts, x: cuts }),
    dtype: fc.constantFrom('uint8', 'uint16', 'float32', 'uint32'),
    order: fc.infiniteStream(fc.nat()),
    missing: fc.nat(9),
    depthKnown: fc.boolean(),
    shared: fc.boolean(),
  });
  let files = 0;
  await fc.assert(
    fc.asyncProperty(drawn, async ({ size, cuts, dtype, order, missing, depthKnown, shared }) => {
      const path = join(folder, `${files++}.npy`);
      const expected = new arrays[dtype](voxelCount(whole(size)));
      const regions = tiles(size, cuts)
        .map((region) => ({ region, key: order.next().value }))
        .sort((a, b) => a.key - b.key)
        .map(({ region }) => region);
      if (dtype === 'uint32') reached.uint32++;
      const sink = npyVolume(path);
      await sink.open({ size: { ...size, z: depthKnown ? size.z : null }, dtype });
      const writes = regions.map((region, index) => {
        if (index === missing) {
          reached.missing++;
          return undefined;
        }
        const bytes = voxelCount(region) * expected.BYTES_PER_ELEMENT;
        // A chain's memory is shared between threads.
        const memory = (shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes)) as ArrayBuffer;
        const voxels = new arrays[dtype](memory);
        forEachVoxel(size, region, (at, place) => {
          voxels[at] = place * 1.3 + 1;
          expected[place] = place * 1.3 + 1;
        });
        const [rows, planes] = [region.stop.x - region.start.x === size.x, region.stop.y - region.start.y === size.y];
        reached[!rows ? 'pieces' : planes ? 'planes' : 'rows']++;
        return sink.write(region, voxels);
      });
      await Promise.all(writes);
      await sink.close(size.z);
      if (!depthKnown) reached.depthUnknown++;
      if (shared) reached.shared++;
      const { shape, data } = await load(path, dtype);
      t.is(shape, `(${size.z}, ${size.y}, ${size.x})`);
      t.deepEqual(Buffer.from(data.buffer), Buffer.from(expected.buffer));
    }),
    { numRuns: 200 },
  );
  for (const [what, times] of Object.entries(reached)) t.true(times > 0, `no drawn case was ${what}`);
});

test('an image that ends earlier than it was to, or as early as known at the end, has the depth that it has', async (t) => {
  const path = join(await tempFolder(t), 'a.npy');
  for (const z of [9, null]) {
    const sink = npyVolume(path);
    await sink.open({ size: { z, y: 2, x: 2 }, dtype: 'uint16' });
    await sink.write({ start: { z: 1, y: 0, x: 0 }, stop: { z: 2, y: 2, x: 2 } }, Uint16Array.of(1, 2, 3, 4));
    await sink.close(3);
    const { shape, data } = await load(path, 'uint16');
    t.is(shape, '(3, 2, 2)');
    t.deepEqual([...data], [0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0]);
  }
});

test('voxels that nobody writes take no room on disk', async (t) => {
  const folder = await tempFolder(t);
  const path = join(folder, 'a.npy');
  const sink = npyVolume(path);
  await sink.open({ size: { z: 1024, y: 1024, x: 1024 }, dtype: 'uint16' });
  await sink.write({ start: { z: 1023, y: 1023, x: 1022 }, stop: { z: 1024, y: 1024, x: 1024 } }, Uint16Array.of(1, 2));
  await sink.close(1024);
  const { size, blocks } = await stat(path);
  t.is(size, 128 + 2 ** 31);
  t.true(blocks * 512 < 2 ** 20, `${blocks} blocks`);
});

test('the sink prints as its format and path', (t) => {
  t.is(JSON.stringify(npyVolume('out/background.npy')), '{"format":"npy","path":"out/background.npy"}');
});

test('the file has its name only when it is complete, an aborted one leaves nothing, and it may be opened again', async (t) => {
  const folder = await tempFolder(t);
  const sink = npyVolume(join(folder, 'a.npy'));
  const size = { z: 1, y: 1, x: 2 };
  await sink.open({ size, dtype: 'uint8' });
  await sink.write(whole(size), Uint8Array.of(1, 2));
  t.deepEqual(await readdir(folder), ['a.npy.partial']);
  await sink.abort();
  await sink.abort();
  t.deepEqual(await readdir(folder), []);
  await sink.open({ size: { ...size, z: null }, dtype: 'float32' });
  await sink.write(whole(size), Float32Array.of(-0, 0.1));
  await sink.close(1);
  t.deepEqual(await readdir(folder), ['a.npy']);
  t.deepEqual([...(await load(join(folder, 'a.npy'), 'float32')).data], [-0, Math.fround(0.1)]);
});

test('a write that is under way when the sink is aborted and opened again leaves nothing in the new file', async (t) => {
  const path = join(await tempFolder(t), 'a.npy');
  const size = { z: 50, y: 50, x: 2 };
  const region = { start: { z: 0, y: 0, x: 0 }, stop: { z: 50, y: 50, x: 1 } };
  const sink = npyVolume(path);
  await sink.open({ size, dtype: 'uint8' });
  const late = sink.write(region, new Uint8Array(2500).fill(7));
  const failed = t.throwsAsync(late, { instanceOf: SinkError });
  await sink.abort();
  await sink.open({ size, dtype: 'uint8' });
  await failed;
  await sink.close(50);
  t.true((await load(path, 'uint8')).data.every((voxel: number) => voxel === 0));
});

test('regions outside the image and voxels of another number or type are refused', async (t) => {
  const folder = await tempFolder(t);
  const path = join(folder, 'a.npy');
  const sink = npyVolume(path);
  const size = { z: 2, y: 2, x: 2 };
  await t.throwsAsync(sink.write(whole(size), new Uint16Array(8)), { instanceOf: SinkError, message: /is not open/ });
  await sink.open({ size, dtype: 'uint16' });
  const outside = { instanceOf: SinkError, message: /expected one inside the image of 2 x 2 x 2 voxels$/ };
  await t.throwsAsync(sink.write(whole({ ...size, x: 3 }), new Uint16Array(12)), outside);
  await t.throwsAsync(sink.write({ start: zyx(() => -1), stop: size }, new Uint16Array(27)), outside);
  const other = { instanceOf: SinkError, message: /expected 8 voxels of uint16, got \d of \d bytes$/ };
  await t.throwsAsync(sink.write(whole(size), new Uint16Array(7)), other);
  await t.throwsAsync(sink.write(whole(size), new Uint8Array(8)), other);
  await sink.abort();
});

test('a missing folder, a folder in its place and no path are refused before any voxel comes', async (t) => {
  const folder = await tempFolder(t);
  const image = { size: { z: 1, y: 1, x: 1 }, dtype: 'uint8' } as const;
  const missing = join(folder, 'none', 'a.npy');
  await t.throwsAsync(npyVolume(missing).open(image), {
    instanceOf: SinkError,
    message: `${missing}: cannot be created: no such file or directory (ENOENT)`,
  });
  await mkdir(join(folder, 'a.npy'));
  await t.throwsAsync(npyVolume(join(folder, 'a.npy')).open(image), {
    instanceOf: SinkError,
    message: /cannot be replaced, expected a file or nothing there$/,
  });
  t.throws(() => npyVolume(''), { instanceOf: OptionError });
  t.deepEqual(await readdir(folder), ['a.npy']);
});

test('a full disk is an error that names the file', async (t) => {
  if (!existsSync('/dev/full')) return t.pass();
  const folder = await tempFolder(t);
  await symlink('/dev/full', join(folder, 'a.npy.partial'));
  const sink = npyVolume(join(folder, 'a.npy'));
  const size = { z: 4, y: 4, x: 4 };
  await sink.open({ size: { ...size, z: null }, dtype: 'uint8' });
  const full = { instanceOf: SinkError, message: /a\.npy: cannot be written: no space left on device \(ENOSPC\)$/ };
  await t.throwsAsync(sink.write(whole({ ...size, x: 2 }), new Uint8Array(32)), full);
  await sink.abort();
  t.deepEqual(await readdir(folder), []);
});
