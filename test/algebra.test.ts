/** What holds of each operator by its definition, whatever the volume: its algebra. */
import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { AXES, type Zyx, zyx } from '../core/geometry.js';
import { applied, type Step, type Voxels } from '../index.js';
import { detect } from './support/detect.js';
import { imageRecipes } from './support/imageRecipes.js';
import { imageStep } from './support/imageSteps.js';
import { type Chain, METHODS } from './support/naive.js';
import type { Background } from './support/naiveImages.js';
import { connected } from './support/naiveShapes.js';
import { around, placeOf, position } from './support/places.js';
import { random, runs, shuffled } from './support/random.js';
import { cut, readRegion, same, whole } from './support/reading.js';
import { type Tally, tally } from './support/tally.js';
import { dtypeOf, type ValueKind } from './support/values.js';
import { type Drawn, drawVolume, inMemory, type VolumeRecipe, volumeRecipes } from './support/volumes.js';

/** Differences and sums of these are exact, in every type. */
const EXACT: readonly ValueKind[] = ['bytes', 'words', 'steps'];
const exactVolumes = (most = 20): fc.Arbitrary<VolumeRecipe> =>
  fc.tuple(volumeRecipes({ most }), fc.constantFrom(...EXACT)).map(([recipe, values]) => ({ ...recipe, values }));

const elements: fc.Arbitrary<Background> = fc.record({
  size: fc.record({ y: fc.integer({ min: 1, max: 12 }), x: fc.integer({ min: 1, max: 12 }) }),
  form: fc.constantFrom('disk' as const, 'rectangle' as const),
});

/** What a step makes of a whole volume. */
function made(drawn: Drawn, step: Step<'source', never> | ReturnType<typeof imageStep>): Promise<Voxels> {
  return readRegion(applied(inMemory(drawn), step as ReturnType<typeof imageStep>), whole(drawn.size));
}

/** The opening itself: what the background step takes away. */
async function opened(drawn: Drawn, element: Background): Promise<Voxels> {
  const rest = await made(drawn, imageStep('removeBackground', element));
  return drawn.data.map((value, at) => value - (rest[at] as number));
}

/** The value at a part of the way from the least to the greatest. */
function valueAt({ data }: Drawn, part: number): number {
  const values = [...new Set(data)].sort((a, b) => a - b);
  return values[Math.floor(part * (values.length - 1))] as number;
}

/** Runs a property, and says which of the things wanted it never reached. */
async function holds<Case>(
  cases: fc.Arbitrary<Case>,
  count: number,
  wanted: readonly string[],
  property: (drawn: Case, seen: Tally['seen']) => Promise<void>,
): Promise<void> {
  const reached = tally();
  await fc.assert(
    fc.asyncProperty(cases, (drawn) => property(drawn, reached.seen)),
    runs(count),
  );
  assert.deepEqual(reached.missing(wanted), []);
}

const DTYPES = ['uint8', 'uint16', 'float32'];

test('an opening is idempotent, below its input, and the greater where the input is', async (t) => {
  const cases = fc.tuple(exactVolumes(), elements, fc.nat(1e6));
  await t.notThrowsAsync(
    holds(
      cases,
      120,
      [...DTYPES, 'takes something away', 'leaves something'],
      async ([recipe, element, seed], seen) => {
        const drawn = drawVolume(recipe);
        const { data, size } = drawn;
        const open = await opened(drawn, element);
        assert.ok(same(await opened({ data: open, size }, element), open), 'open(open(I)) = open(I)');
        assert.ok(
          open.every((value, at) => value <= (data[at] as number)),
          'open(I) <= I',
        );
        const next = random(seed);
        const lower = data.map((value) => (next() < 0.3 ? value - Math.floor(next() * (value + 1)) : value));
        const openLower = await opened({ data: lower, size }, element);
        assert.ok(
          openLower.every((value, at) => value <= (open[at] as number)),
          'J <= I gives open(J) <= open(I)',
        );
        seen(dtypeOf(data));
        seen('takes something away', !same(open, data));
        seen('leaves something', new Set(open).size > 1);
      },
    ),
  );
});

test('a flat field of ones is the identity, whatever the scaling, and scales by a number', async (t) => {
  const cases = fc.tuple(volumeRecipes({ most: 16 }), fc.constantFrom('mean', 'max', null, 1));
  await t.notThrowsAsync(
    holds(cases, 80, [...DTYPES, 'negative', 'denormal'], async ([recipe, scaling], seen) => {
      const { data, size } = drawVolume(recipe);
      const ones = { data: new Float64Array(size.y * size.x).fill(1), size: { y: size.y, x: size.x } };
      const step = imageStep('correctIllumination', { flatfield: ones, scaling });
      assert.ok(same(await made({ data, size }, step), data));
      // Halves of even numbers are exact.
      const even = data.map((value) => 2 * Math.floor(value / 4));
      const halving = imageStep('correctIllumination', { flatfield: ones, scaling: 0.5 });
      assert.ok(
        same(
          await made({ data: even, size }, halving),
          even.map((value) => value / 2),
        ),
      );
      seen(dtypeOf(data));
      seen(`${recipe.values}`);
    }),
  );
});

const gaussians = imageRecipes().filter(({ dog }) => dog !== null && dog !== undefined);

test('a difference of Gaussians of a constant is 0', async (t) => {
  const size = fc.integer({ min: 1, max: 12 });
  const values = fc.oneof(
    fc.tuple(fc.constant(Uint8Array), fc.nat(255)),
    fc.tuple(fc.constant(Uint16Array), fc.nat(65535)),
    fc.tuple(fc.constant(Float32Array), fc.float({ noNaN: true, min: -(2 ** 100), max: 2 ** 100 })),
  );
  const cases = fc.tuple(values, fc.record({ z: size, y: size, x: size }), gaussians);
  await t.notThrowsAsync(
    holds(cases, 150, DTYPES, async ([[array, value], extent, { dog }], seen) => {
      const data = new array(extent.z * extent.y * extent.x).fill(value === 0 ? 0 : value);
      const found = await made({ data, size: extent }, imageStep('dog', dog as object));
      assert.ok(found.every((one) => Object.is(one, 0)));
      seen(dtypeOf(data));
    }),
  );
});

test('a difference of Gaussians commutes with shifts, away from the edges, bit for bit', async (t) => {
  const shift = fc.record({ z: fc.nat(3), y: fc.nat(5), x: fc.nat(9) });
  const cases = fc.tuple(volumeRecipes({ least: 16, most: 26 }), shift, gaussians);
  await t.notThrowsAsync(
    holds(cases, 80, [...DTYPES, 'something is left'], async ([recipe, by, { dog }], seen) => {
      const { size: box } = dog as NonNullable<typeof dog>;
      const { data, size } = drawVolume(recipe);
      // Two windows on one volume, of which the second begins later: where both see all of the box they see the same.
      const extent = zyx((a) => size[a] - by[a]);
      const windows = [whole(extent), { start: by, stop: zyx((a) => by[a] + extent[a]) }];
      const [here, there] = await Promise.all(
        windows.map((region) => made({ data: cut(data, size, region), size: extent }, imageStep('dog', dog as object))),
      );
      const inner = (p: Zyx) =>
        AXES.every((a) => p[a] >= Math.floor(box[a] / 2) && p[a] + box[a] - Math.floor(box[a] / 2) <= extent[a]);
      let compared = 0;
      there?.forEach((value, at) => {
        const p = position(at, extent);
        const q = zyx((a) => p[a] + by[a]);
        if (!inner(p) || !inner(q)) return;
        assert.equal(here?.[placeOf(q, extent)], value);
        if (value > 0) compared += 1;
      });
      seen(dtypeOf(data), compared > 0);
      seen('something is left', compared > 100);
    }),
  );
});

test('a constant volume equalized is constant', async (t) => {
  const size = fc.integer({ min: 1, max: 14 });
  const value = fc.constantFrom(0, 1, 2, 7, 100, 255, 65535, 0.25, -3, 1e30);
  const equalizations = imageRecipes().filter(({ equalize }) => equalize !== null && equalize !== undefined);
  const cases = fc.tuple(value, fc.record({ z: size, y: size, x: size }), equalizations);
  await t.notThrowsAsync(
    holds(cases, 150, [...DTYPES, 'at most maxValue'], async ([constant, extent, { equalize }], seen) => {
      const integer = Number.isInteger(constant) && constant >= 0 && constant < 65536;
      const array = !integer ? Float32Array : constant < 256 ? Uint8Array : Uint16Array;
      const data = new array(extent.z * extent.y * extent.x).fill(constant);
      const found = await made({ data, size: extent }, imageStep('equalize', equalize as object));
      const { maxValue = 1.5 } = equalize as NonNullable<typeof equalize>;
      const right = Math.fround(Math.min(constant, 1, maxValue));
      assert.ok(
        found.every((one) => one === right),
        `${found.find((one) => one !== right)}, expected ${right}`,
      );
      seen(dtypeOf(data));
      seen('at most maxValue', right === maxValue);
    }),
  );
});

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
