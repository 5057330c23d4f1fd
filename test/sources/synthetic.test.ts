import { createHash } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { lastValueFrom, reduce } from 'rxjs';
import { AXES, type Zyx, zyx } from '../../core/geometry.js';
import { blocks, type CellTable, cells, intensity, maxima, OptionError, removeBackground, shape } from '../../index.js';
import { synthetic } from '../../sources/synthetic.js';
import { mostCells } from '../../sources/syntheticCells.js';
import { runs } from '../support/random.js';
import { cut, readRegion, regionsWithin, same, whole } from '../support/reading.js';

const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const dtypes = ['uint8', 'uint16', 'float32'] as const;

/** Where the cells of a table are. */
function centers(table: CellTable): Zyx[] {
  return Array.from({ length: table.count }, (_, row) => zyx((a) => table.column(a)?.[row] as number));
}

test('any region has the voxels of the whole, bit for bit, also when several are read at a time', async (t) => {
  const extent = fc.record({
    z: fc.integer({ min: 1, max: 24 }),
    y: fc.integer({ min: 1, max: 50 }),
    x: fc.integer({ min: 1, max: 50 }),
  });
  const drawn = extent.chain((size) =>
    fc.record({
      size: fc.constant(size),
      cells: fc.integer({ min: 0, max: mostCells(size) }),
      seed: seeds,
      dtype: fc.constantFrom(...dtypes),
      regions: fc.array(regionsWithin(size), { minLength: 1, maxLength: 5 }),
    }),
  );
  const reached = { cells: 0, cellAcross: 0, uint8: 0, uint16: 0, float32: 0 };
  await fc.assert(
    fc.asyncProperty(drawn, async ({ regions, ...options }) => {
      const { volume, cells } = synthetic(options);
      const all = await readRegion(synthetic(options).volume, whole(options.size));
      const read = await Promise.all(regions.map((region) => readRegion(volume, region)));
      reached[options.dtype]++;
      if (cells.count > 0) reached.cells++;
      for (const { start, stop } of regions) {
        if (centers(cells).some((c) => AXES.some((a) => c[a] < start[a] && c[a] > start[a] - 4 && c[a] < stop[a])))
          reached.cellAcross++;
      }
      return regions.every((region, at) => same(read[at] as typeof all, cut(all, options.size, region)));
    }),
    runs(200),
  );
  for (const [what, times] of Object.entries(reached)) t.true(times > 0, `no drawn case was ${what}`);
});

test('the voxels of a seed are the same on any machine', async (t) => {
  const size = { z: 20, y: 60, x: 50 };
  const hashes = {
    uint8: 'f98c5009f519367accbe9e701983b97f0e0393f1e29dca421683f0bf31de8adf',
    uint16: '56016b19c2f713bf4df1d5816dae0cc14e8e9837111f8b9e8195216626cacbdb',
    float32: 'c402e8441ea5bb2cf76cfdd66175c0bad75bfb1ec8b082510f8007853587b8aa',
  };
  for (const dtype of dtypes) {
    const voxels = await readRegion(synthetic({ size, cells: 12, seed: 7, dtype }).volume, whole(size));
    // The digest is of the values, so that the machine's byte order does not count.
    const hash = createHash('sha256').update(voxels.join(' ')).digest('hex');
    t.is(hash, hashes[dtype], dtype);
  }
});

test('the table has each cell once, in z, y, x order, apart from the others and off the faces', (t) => {
  const extent = fc.record({
    z: fc.integer({ min: 1, max: 60 }),
    y: fc.integer({ min: 1, max: 120 }),
    x: fc.integer({ min: 1, max: 120 }),
  });
  const reached = { full: 0, half: 0, none: 0, thin: 0 };
  fc.assert(
    fc.property(extent, fc.constantFrom(0, 0.1, 0.5, 1), seeds, (size, part, seed) => {
      const count = Math.floor(part * mostCells(size));
      const { cells } = synthetic({ size, cells: count, seed });
      if (part === 1) reached.full++;
      else if (count > 0) reached.half++;
      else reached.none++;
      if (size.z < 8) reached.thin++;
      t.deepEqual(cells.names, ['x', 'y', 'z', 'amplitude']);
      t.is(cells.count, count);
      const found = centers(cells);
      const faces = { z: 4, y: 8, x: 8 };
      const apart = { z: 8, y: 14, x: 14 };
      found.forEach((c, at) => {
        const last = found[at - 1];
        if (last) t.true(last.z < c.z || (last.z === c.z && (last.y < c.y || (last.y === c.y && last.x < c.x))));
        for (const a of AXES) {
          const margin = Math.min(faces[a], Math.floor((size[a] - 1) / 2));
          t.true(Number.isInteger(c[a]) && c[a] >= margin && c[a] < size[a] - margin);
        }
        const amplitude = cells.column('amplitude')?.[at] as number;
        t.true(amplitude >= 1500 && amplitude < 5000);
      });
      for (const [at, a] of found.entries())
        for (const b of found.slice(0, at)) t.true(AXES.some((axis) => Math.abs(a[axis] - b[axis]) >= apart[axis]));
    }),
    { numRuns: 100 },
  );
  for (const [what, times] of Object.entries(reached)) t.true(times > 0, `no drawn case was ${what}`);
});

test('the default chain finds exactly one cell within two voxels of each center, and no others', async (t) => {
  const drawn = fc.record({
    size: fc.record({
      z: fc.integer({ min: 12, max: 60 }),
      y: fc.integer({ min: 100, max: 260 }),
      x: fc.integer({ min: 100, max: 260 }),
    }),
    part: fc.constantFrom(0.2, 0.7, 1),
    seed: seeds,
  });
  const reached = { cells: 0, full: 0 };
  await fc.assert(
    fc.asyncProperty(drawn, async ({ size, part, seed }) => {
      const truth = synthetic({ size, cells: Math.floor(part * mostCells(size)), seed });
      const chain = blocks(truth.volume).pipe(
        removeBackground({ size: 10 }),
        maxima({ size: 5 }),
        shape({ threshold: 700 }),
        intensity(),
        cells({ memory: '256 MiB' }),
        reduce((all: Zyx[], batch) => [...all, ...centers(batch.cells)], []),
      );
      const found = await lastValueFrom(chain);
      const expected = centers(truth.cells);
      reached.cells += expected.length;
      if (part === 1) reached.full++;
      t.is(found.length, expected.length);
      for (const center of expected) {
        const near = found.filter((cell) => AXES.every((a) => Math.abs(cell[a] - center[a]) <= 2));
        t.is(near.length, 1, `at ${JSON.stringify(center)}`);
      }
    }),
    runs(12),
  );
  t.true(reached.cells > 1000 && reached.full > 0, JSON.stringify(reached));
});

test('options that cannot be, and cells that have no room, are refused', (t) => {
  const sound = { size: { z: 20, y: 60, x: 60 }, cells: 3, seed: 1 };
  const refused = (changed: object, message: string) =>
    t.throws(() => synthetic({ ...sound, ...changed }), { instanceOf: OptionError, message });
  refused({ cells: 1000 }, 'synthetic: cells must be an integer of 0..32, got 1000');
  refused({ cells: -1 }, 'synthetic: cells must be an integer of 0..32, got -1');
  refused({ seed: 0.5 }, 'synthetic: seed must be an integer of 0..4294967295, got 0.5');
  refused({ size: { z: 0, y: 60, x: 60 } }, 'synthetic: size.z must be an integer of 1..2147483647, got 0');
  refused({ dtype: 'int16' }, "synthetic: dtype must be one of uint8, uint16, float32, got 'int16'");
  refused({ voxelSizeUm: { z: 0, y: 1, x: 1 } }, 'synthetic: voxelSizeUm.z must be a number above 0, got 0');
  const { volume } = synthetic({ ...sound, voxelSizeUm: { z: 5, y: 2, x: 2 } });
  t.deepEqual(volume.voxelSizeUm, { z: 5, y: 2, x: 2 });
  t.is(volume.id, 'synthetic uint16 20 x 60 x 60, 3 cells, seed 1');
});

test('an aborted read rejects with the reason before the region is filled', async (t) => {
  const size = { z: 40, y: 1000, x: 1000 };
  const { volume } = synthetic({ size, cells: 0, seed: 1 });
  const into = new Uint16Array(40e6);
  const aborting = new AbortController();
  const read = volume.read(whole(size), into, aborting.signal);
  setTimeout(() => aborting.abort(new Error('enough')), 5);
  await t.throwsAsync(read, { message: 'enough' });
  t.is(into.at(-1), 0);
  await t.throwsAsync(volume.read(whole(size), into, aborting.signal), { message: 'enough' });
});
