/** What holds of maxima, shapes and measures by their definition, whatever the volume. */
import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { DTYPES, exactVolumes, holds, valueAt } from './support/algebra.js';
import { detect } from './support/detect.js';
import { type Chain, METHODS } from './support/naive.js';
import { connected } from './support/naiveShapes.js';
import { around, placeOf } from './support/places.js';
import { shuffled } from './support/random.js';
import { dtypeOf } from './support/values.js';
import { type Drawn, drawVolume, volumeRecipes } from './support/volumes.js';

/** A chain without images, of which only the centers are wanted. */
function centersAsked(maxima: Chain['maxima']): Chain {
  return { removeBackground: null, maxima, shape: null, radius: 0, measure: ['source'] };
}

const centers = async (drawn: Drawn, maxima: Chain['maxima']) =>
  (await detect(drawn, centersAsked(maxima))).rows.map(([x = 0, y = 0, z = 0]) => placeOf({ z, y, x }, drawn.size));

const windows = (least: number, most: number) => {
  const along = fc.integer({ min: least, max: most });
  return fc.record({ z: along, y: along, x: along });
};

test('maxima thin out as hMax grows', async (t) => {
  const cases = fc.tuple(volumeRecipes({ most: 16 }), windows(1, 5), windows(0, 4), fc.constantFrom('first', 'all'));
  await t.notThrowsAsync(
    holds(cases, 100, [...DTYPES, 'some stay', 'first', 'all'], async ([recipe, size, reach, plateaus], seen) => {
      const drawn = drawVolume(recipe);
      const asked = { size, threshold: null, plateaus } as const;
      const range = valueAt(drawn, 1) - valueAt(drawn, 0);
      let last = new Set(await centers(drawn, asked));
      for (const part of [0, 0.1, 0.4, 1]) {
        const stay = await centers(drawn, { ...asked, hMax: part * range, reach });
        assert.ok(
          stay.every((at) => last.has(at)),
          `hMax ${part} of the range`,
        );
        seen('some stay', stay.length > 1 && stay.length < last.size);
        last = new Set(stay);
      }
      seen(dtypeOf(drawn.data));
      seen(plateaus);
    }),
  );
});

test('without equal neighbours, maxima that stand out by as good as nothing are the plain ones', async (t) => {
  const cases = fc.tuple(windows(1, 14), windows(3, 7), fc.nat(1e6), fc.constantFrom(0, 0.5));
  await t.notThrowsAsync(
    holds(cases, 60, ['many', 'bytes'], async ([size, window, seed, hMax], seen) => {
      const count = size.z * size.y * size.x;
      const ranks = shuffled([...Array(count).keys()], seed);
      const data = count <= 256 ? Uint8Array.from(ranks) : Uint16Array.from(ranks);
      const plain = await centers({ data, size }, { size: window, threshold: null });
      assert.deepEqual(await centers({ data, size }, { size: window, threshold: null, hMax }), plain);
      seen('many', plain.length > 10);
      seen('bytes', count <= 256);
    }),
  );
});

test('where regions fit in the reach, maxima that stand out are the maxima of the h-maxima transform', async (t) => {
  const cases = fc.tuple(exactVolumes(9), windows(1, 3), fc.constantFrom(0, 0.05, 0.2, 0.5, 1));
  const far = { z: 9, y: 9, x: 9 };
  await t.notThrowsAsync(
    holds(cases, 150, [...DTYPES, 'several', 'fewer than plain'], async ([recipe, size, part], seen) => {
      const drawn = drawVolume(recipe);
      const hMax = part * (valueAt(drawn, 1) - valueAt(drawn, 0));
      const stay = await centers(drawn, { size, threshold: null, hMax, reach: far });
      const zones = zonesOfTransform(drawn, hMax);
      assert.deepEqual(stay.map((at) => zones.findIndex((zone) => zone.has(at))).sort(), [...zones.keys()].sort());
      seen(dtypeOf(drawn.data));
      seen('several', zones.length > 3);
      seen('fewer than plain', stay.length < (await centers(drawn, { size, threshold: null })).length);
    }),
  );
});

/** The regional maxima of the reconstruction of I - h under I, 26-connected: each a set of voxels. */
function zonesOfTransform({ data, size }: Drawn, height: number): Set<number>[] {
  const one = { z: 1, y: 1, x: 1 };
  const near = Array.from(data, (_, at) => around(at, size, one));
  const level = Float64Array.from(data, (value) => value - height);
  for (let changed = true; changed; ) {
    changed = false;
    level.forEach((value, at) => {
      const most = Math.max(...(near[at] as number[]).map((other) => level[other] as number));
      const raised = Math.min(most, data[at] as number);
      if (raised > value) {
        level[at] = raised;
        changed = true;
      }
    });
  }
  const zones: Set<number>[] = [];
  const seen = new Set<number>();
  level.forEach((value, first) => {
    if (seen.has(first)) return;
    const zone = new Set([first]);
    let highest = true;
    for (const at of zone)
      for (const other of near[at] as number[]) {
        if (level[other] === value) zone.add(other);
        if ((level[other] as number) > value) highest = false;
      }
    for (const at of zone) seen.add(at);
    if (highest) zones.push(zone);
  });
  return zones;
}

test('sizes sum to the voxels of the components that hold a center, and to all without a threshold', async (t) => {
  const threshold = fc.constantFrom(null, 0, 0.1, 0.3, 0.6);
  const cases = fc.tuple(volumeRecipes({ most: 18 }), windows(1, 4), threshold);
  await t.notThrowsAsync(
    holds(cases, 150, [...DTYPES, 'all', 'some', 'without a center'], async ([recipe, size, part], seen) => {
      const drawn = drawVolume(recipe);
      const above = part === null ? null : valueAt(drawn, part);
      const chain: Chain = {
        removeBackground: null,
        maxima: { size, threshold: valueAt(drawn, 0.3) },
        shape: { threshold: above },
        measure: ['source'],
      };
      const { rows } = await detect(drawn, chain, { core: { z: 5, y: 7, x: 9 } });
      const mask = Array.from(drawn.data, (value) => above === null || value > above);
      const { components, componentOf } = connected(drawn.size, mask);
      const sums = components.map(() => 0);
      for (const [x = 0, y = 0, z = 0, voxels = 0] of rows) {
        const component = componentOf[placeOf({ z, y, x }, drawn.size)] as number;
        sums[component] = (sums[component] as number) + voxels;
      }
      components.forEach(({ voxels }, at) => {
        if (sums[at] !== 0) assert.equal(sums[at], voxels.length);
      });
      seen(dtypeOf(drawn.data), rows.length > 0);
      seen('all', above === null && rows.length > 1);
      seen('some', above !== null && rows.length > components.length);
      seen('without a center', sums.some((sum) => sum === 0) && rows.length > 0);
    }),
  );
});

test('max >= mean >= min, and the mean is the sum by the count, of shapes and of spheres', async (t) => {
  const spheres = fc.oneof(fc.constant(null), fc.constantFrom(0, 1.5, 3));
  const cases = fc.tuple(exactVolumes(), windows(1, 4), spheres);
  await t.notThrowsAsync(
    holds(cases, 100, [...DTYPES, 'shapes', 'spheres', 'of several voxels'], async ([recipe, size, radius], seen) => {
      const drawn = drawVolume(recipe);
      const also = { nuclei: new Uint8Array(drawn.data.length).fill(1) };
      const chain: Chain = {
        removeBackground: null,
        maxima: { size, threshold: valueAt(drawn, 0.2) },
        shape: radius === null ? { threshold: valueAt(drawn, 0.1) } : null,
        ...(radius === null ? {} : { radius }),
        measure: ['source', 'nuclei'],
      };
      const tables = new Map<string, number[][]>();
      for (const method of METHODS) tables.set(method, (await detect({ ...drawn, also }, { ...chain, method })).rows);
      const measures = (method: string) => (tables.get(method) as number[][]).map((row) => row.at(-2) as number);
      const [max, min, mean, sum] = ['max', 'min', 'mean', 'sum'].map(measures) as number[][];
      (tables.get('sum') as number[][]).forEach((row, at) => {
        // A channel of ones sums to the number of voxels.
        const count = row.at(-1) as number;
        if (radius === null) assert.equal(row[3], count);
        const value = mean?.[at] as number;
        assert.ok((max?.[at] as number) >= value && value >= (min?.[at] as number));
        assert.equal(value, (sum?.[at] as number) / count);
        seen('of several voxels', count > 5 && (max?.[at] as number) > value);
      });
      seen(dtypeOf(drawn.data), (max?.length ?? 0) > 0);
      seen(radius === null ? 'shapes' : 'spheres');
    }),
  );
});
