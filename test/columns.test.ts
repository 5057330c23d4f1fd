/** Centroids, boxes and flags where cores, or the end of a running acquisition, could spoil them. */
import test from 'ava';
import { Budget, liveVolume, type Zyx } from '../index.js';
import { detect } from './support/detect.js';
import { ImageInMemory } from './support/imageInMemory.js';
import { labelsOf, withColumns } from './support/labelTruth.js';
import { type Chain, naive, rowsInLayout } from './support/naive.js';
import { position } from './support/places.js';
import { whole } from './support/reading.js';
import { AMPLE_BYTES } from './support/recipes.js';
import { chain, drawn } from './support/stream.js';
import type { Drawn } from './support/volumes.js';
import { within } from './support/waiting.js';

const COLUMNS = ['centroid', 'box', 'flags'] as const;

/** The rows that a run over these cores gives with the columns, of a chain whose shapes are found in the source. */
function rowsOf(of: Drawn, asked: Chain, core: Zyx): number[][] {
  const told = { size: of.size, image: of.data, source: of.data };
  return rowsInLayout(withColumns(naive(of, asked), COLUMNS, told), core, of.size);
}

test.serial(
  'flags know the last plane of a running acquisition, whose depth is not known while blocks run',
  async (t) => {
    const pixels = drawn.size.y * drawn.size.x;
    const data = Uint16Array.from(drawn.data);
    let last = 0;
    let across = 0;
    // One block has whole planes; four have cells that cross cores, which are divided apart from their blocks.
    for (const core of [
      { z: 4, y: drawn.size.y, x: drawn.size.x },
      { z: 4, y: 7, x: 12 },
    ])
      for (const depth of [1, 3, 4, 5, 8, 14]) {
        const live = liveVolume({ size: { y: drawn.size.y, x: drawn.size.x }, buffer: 12 });
        const found = detect(live.volume, chain, { core, options: { columns: COLUMNS } });
        for (let z = 0; z < depth; z++) {
          const plane = data.slice(z * pixels, (z + 1) * pixels);
          await within(10_000, 'writing a plane', live.write(plane));
        }
        live.end();
        const seen = { data: data.slice(0, depth * pixels), size: { ...drawn.size, z: depth } };
        const { rows } = await within(10_000, 'the run', found);
        t.deepEqual(rows, rowsOf(seen, chain, core), `${depth} planes`);
        // Cells that no other face than the last plane makes cells of the edge.
        for (const [x0 = 0, x1, y0 = 0, y1, z0 = 0, z1] of rows.map((row) => row.slice(-7, -1))) {
          if (x0 === 0 || y0 === 0 || z0 === 0 || x1 === drawn.size.x || y1 === drawn.size.y || z1 !== depth) continue;
          last++;
          if (core.y === 7 && Math.floor(y0 / 7) !== Math.floor(((y1 as number) - 1) / 7)) across++;
        }
      }
    t.true(last > 0 && across > 0, `${last} cells on the last plane alone, ${across} of them across cores`);
  },
);

test.serial('centroids of floats across cores are summed in z, y, x order, not core by core', async (t) => {
  // Beside the greatest value the small ones are lost in a float64, so it matters where in the sum the two great ones meet.
  const great = 2 ** 60;
  const data = Float32Array.from([great, 64, -great, 64, 64, 64, 64, 64]);
  const floats = { data, size: { z: 1, y: 2, x: 4 } };
  const all: Chain = {
    removeBackground: null,
    maxima: { size: { z: 1, y: 5, x: 9 }, threshold: null },
    shape: { threshold: null },
    measure: [],
  };
  for (const x of [4, 3, 2, 1]) {
    const core = { z: 1, y: 2, x };
    const { rows } = await detect(floats, all, { core, options: { columns: COLUMNS } });
    t.deepEqual(rows, rowsOf(floats, all, core), `cores of ${x} columns`);
  }
});

test.serial(
  'a voxel that is saturated flags its own cell, of uint8 at 255 and of uint16 at 65535, of floats nowhere',
  async (t) => {
    const values = [9, 255, 9, 1, 9, 254, 9, 0, 9, 255, 7, 9];
    const volume = (data: Drawn['data']): Drawn => ({ data, size: { z: 1, y: 1, x: values.length } });
    const asked: Chain = {
      removeBackground: null,
      maxima: { size: { z: 1, y: 1, x: 3 }, threshold: 100 },
      shape: { threshold: 5 },
      measure: [],
    };
    const flagged = async (data: Drawn['data'], x: number) => {
      const { names, rows } = await detect(volume(data), asked, {
        core: { z: 1, y: 1, x },
        options: { columns: ['flags'] },
      });
      return Object.fromEntries(rows.map((row) => [row[0], (row[names.indexOf('flags')] as number) & 2]));
    };
    for (const x of [12, 5, 2, 1]) {
      t.deepEqual(await flagged(Uint8Array.from(values), x), { 1: 2, 5: 0, 9: 2 });
      const wide = Uint16Array.from(values, (value) => (value === 255 ? 65535 : value));
      t.deepEqual(await flagged(wide, x), { 1: 2, 5: 0, 9: 2 });
      t.deepEqual(await flagged(Uint16Array.from(values), x), { 1: 0, 5: 0, 9: 0 });
      t.deepEqual(await flagged(Float32Array.from(values), x), { 1: 0, 5: 0, 9: 0 });
    }
  },
);

test.serial('cells keep their own voxels where one push floods again and again, to hold little', async (t) => {
  const size = { z: 19, y: 4, x: 25 };
  const data = Uint16Array.from({ length: size.z * size.y * size.x }, (_, at) => {
    const { z, y, x } = position(at, size);
    return z % 2 === 0 && y % 2 === 0 ? ([500, 900 - x, 0, 700 + y, 0][x % 5] ?? 0) : 0;
  });
  const points = { data, size };
  const image = new ImageInMemory();
  const { rows } = await detect(points, chain, {
    core: size,
    options: { columns: COLUMNS, memory: new Budget({ imageBytes: AMPLE_BYTES, sparseBytes: 2 ** 15 }) },
    saves: { shape: image },
  });
  t.deepEqual(rows, rowsOf(points, chain, size));
  t.deepEqual(image.voxels, labelsOf(naive(points, chain), size, whole(size)));
  t.is(rows.length, 10 * 2 * 10);
});
