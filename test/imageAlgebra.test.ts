/** What holds of the steps that make images by their definition, whatever the volume. */
import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { AXES, type Zyx, zyx } from '../core/geometry.js';
import { applied, type Step, type Voxels } from '../index.js';
import { DTYPES, exactVolumes, holds } from './support/algebra.js';
import { imageRecipes } from './support/imageRecipes.js';
import { imageStep } from './support/imageSteps.js';
import type { Background } from './support/naiveImages.js';
import { placeOf, position } from './support/places.js';
import { random } from './support/random.js';
import { cut, readRegion, same, whole } from './support/reading.js';
import { dtypeOf } from './support/values.js';
import { type Drawn, drawVolume, inMemory, volumeRecipes } from './support/volumes.js';

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

test('a difference of Gaussians is 0 or above what rounding may make of the brightness', async (t) => {
  const size = fc.integer({ min: 4, max: 14 });
  const cases = fc.tuple(
    fc.constantFrom(200, 60_000),
    fc.record({ z: size, y: size, x: size }),
    gaussians,
    fc.nat(1e6),
  );
  await t.notThrowsAsync(
    holds(cases, 60, ['something', 'nothing', ...DTYPES], async ([brightness, extent, { dog }, seed], seen) => {
      const next = random(seed);
      const array = seed % 2 === 0 ? Float32Array : brightness < 256 ? Uint8Array : Uint16Array;
      const data = new array(extent.z * extent.y * extent.x).map(() => brightness + (next() < 0.05 ? 1 : 0));
      const found = await made({ data, size: extent }, imageStep('dog', dog as object));
      // The narrow mean of such voxels is as bright as they are.
      const least = Math.min(...found.filter((value) => value > 0));
      assert.ok(least > 0.999 * 2 ** -20 * brightness, `${least} beside ${brightness}`);
      seen(dtypeOf(data));
      seen(least < Number.POSITIVE_INFINITY ? 'something' : 'nothing');
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
