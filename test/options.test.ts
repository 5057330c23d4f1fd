/** What the operators take, refuse and plan, before anything runs. */
import test from 'ava';
import fc from 'fast-check';
import { equalize, type Halo, intensity, maxima, OptionError, removeBackground, shape } from '../index.js';

/** Calls a function as someone without a compiler would. */
function call(operator: (options: never) => unknown, options: unknown): unknown {
  return operator(options as never);
}

const refusals: [(options: never) => unknown, unknown, string][] = [
  [removeBackground, { size: 0 }, 'removeBackground: size must be an integer in 1..1024, got 0'],
  [removeBackground, { size: { y: 3, x: 2.5 } }, 'removeBackground: size.x must be an integer in 1..1024, got 2.5'],
  [removeBackground, { size: { y: 3 } }, 'removeBackground: size.x must be an integer in 1..1024, got undefined'],
  [removeBackground, { size: '10' }, "removeBackground: size must be an integer in 1..1024, got '10'"],
  [removeBackground, { size: null }, 'removeBackground: size must be an integer in 1..1024, got null'],
  [removeBackground, { size: { y: 3, x: 3, z: 1 } }, "removeBackground: size has no 'z', did you mean 'y'?"],
  [removeBackground, { form: 'square' }, "removeBackground: form must be 'disk' or 'rectangle', got 'square'"],
  [removeBackground, { opening: 'none' }, "removeBackground: opening must be 'symmetric' or 'clearmap', got 'none'"],
  [removeBackground, { from: 'disk' }, "removeBackground: has no option 'from', did you mean 'form'?"],
  [removeBackground, null, 'removeBackground: options must be an object of size, form, opening, got null'],
  [removeBackground, 10, 'removeBackground: options must be an object of size, form, opening, got 10'],
  [maxima, { size: 256 }, 'maxima: size must be an integer in 1..255, got 256'],
  [maxima, { size: { x: 3, y: 3, z: 0 } }, 'maxima: size.z must be an integer in 1..255, got 0'],
  [maxima, { threshold: Number.NaN }, 'maxima: threshold must be a finite number or null, got NaN'],
  [maxima, { threshold: '5' }, "maxima: threshold must be a finite number or null, got '5'"],
  [maxima, { plateaus: 'last' }, "maxima: plateaus must be 'first' or 'all', got 'last'"],
  [maxima, { Treshold: 5 }, "maxima: has no option 'Treshold', did you mean 'threshold'?"],
  [shape, { threshold: Number.POSITIVE_INFINITY }, 'shape: threshold must be a finite number or null, got Infinity'],
  [shape, { tresh: 5 }, "shape: has no option 'tresh', did you mean 'threshold'?"],
  [intensity, { method: 'median' }, "intensity: method must be 'max', 'min', 'mean' or 'sum', got 'median'"],
  [intensity, { measure: 'source' }, "intensity: measure must be a list of images, got 'source'"],
  [intensity, { measure: [1] }, 'intensity: measure[0] must be the name of an image, got 1'],
  [intensity, { measure: ['source', 'source'] }, "intensity: measure[1] must be named once, got 'source'"],
  [intensity, { radius: -1 }, 'intensity: radius must be a number in 0..255, got -1'],
  [intensity, { radius: null }, 'intensity: radius must be a number in 0..255, got null'],
  [maxima, { hMax: -1 }, 'maxima: hMax must be a finite number of at least 0, or null, got -1'],
  [maxima, { hMax: '5' }, "maxima: hMax must be a finite number of at least 0, or null, got '5'"],
  [maxima, { reach: { z: 1, y: 2, x: -1 } }, 'maxima: reach.x must be an integer in 0..255, got -1'],
  [maxima, { reach: null }, 'maxima: reach must be an integer in 0..255, got null'],
  [equalize, { percentile: [0.9, 0.5] }, 'equalize: percentile must be two fractions in 0..1, in order, got [0.9,0.5]'],
  [equalize, { percentile: 0.5 }, 'equalize: percentile must be two fractions in 0..1, in order, got 0.5'],
  [equalize, { maxValue: 0 }, 'equalize: maxValue must be a finite number above 0, got 0'],
  [equalize, { window: { z: 5, y: 0, x: 200 } }, 'equalize: window.y must be an integer in 1..1024, got 0'],
  [equalize, { spacing: 1.5 }, 'equalize: spacing must be an integer in 1..1024, got 1.5'],
  [equalize, { interpolate: 2 }, 'equalize: interpolate must be 0 or 1, got 2'],
];

test('options that cannot be are refused at once, in one line that names what is wrong', (t) => {
  for (const [operator, options, message] of refusals) {
    t.throws(() => call(operator, options), { instanceOf: OptionError, message });
  }
});

test('a size may name its axes in any order', (t) => {
  const [inOrder, reversed] = [maxima({ size: { z: 1, y: 2, x: 3 } }), maxima({ size: { x: 3, y: 2, z: 1 } })];
  t.deepEqual(inOrder.plans, reversed.plans);
  t.is(JSON.stringify(inOrder.plans), JSON.stringify(reversed.plans));
  const turned = removeBackground({ size: { x: 3, y: 2 } });
  t.is(JSON.stringify(turned.plans), JSON.stringify(removeBackground({ size: { y: 2, x: 3 } }).plans));
});

test('plans name every option, defaults filled in', (t) => {
  const options = [removeBackground(), maxima(), shape(), intensity()].map(({ plans }) => plans[0]?.options);
  t.deepEqual(options, [
    { size: { y: 10, x: 10 }, form: 'disk', opening: 'symmetric' },
    { size: { z: 5, y: 5, x: 5 }, threshold: 0, plateaus: 'first', hMax: null, reach: { z: 16, y: 16, x: 16 } },
    { threshold: 700 },
    { method: 'max', measure: ['source', 'background'], radius: 3 },
  ]);
});

/** The offsets of a window of that size. */
function offsets(size: number): number[] {
  return Array.from({ length: size }, (_, i) => i - Math.floor(size / 2));
}

/** How far before and after it a pixel's value depends on pixels at these offsets. */
function reach(read: readonly number[]): { before: number; after: number } {
  return { before: 0 - Math.min(...read), after: Math.max(...read) };
}

function along(halo: Halo | undefined, axis: 'y' | 'x') {
  return { before: halo?.before[axis], after: halo?.after[axis] };
}

test('the halo of an opening is what erosion and then dilation read, reflected or not', (t) => {
  const seen = { even: 0, odd: 0 };
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 24 }), fc.integer({ min: 1, max: 24 }), (y, x) => {
      seen[y % 2 === 0 ? 'even' : 'odd']++;
      for (const [opening, sign] of [
        ['symmetric', -1],
        ['clearmap', 1],
      ] as const) {
        const halo = removeBackground({ size: { y, x }, opening }).plans[0]?.halo;
        t.deepEqual([halo?.before.z, halo?.after.z], [0, 0]);
        for (const [axis, size] of [
          ['y', y],
          ['x', x],
        ] as const) {
          const read = offsets(size).flatMap((eroded) => offsets(size).map((dilated) => eroded + sign * dilated));
          t.deepEqual(along(halo, axis), reach(read), `${opening} ${size}`);
        }
      }
    }),
  );
  t.true(seen.even > 0 && seen.odd > 0);
});

test('the halo of maxima is the window, and where the first of equals counts the windows of those before it', (t) => {
  const before = (size: number) => offsets(size).filter((o) => o <= 0);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), (z, x) => {
      const size = { z, y: 1, x };
      const all = maxima({ size, plateaus: 'all' }).plans[0]?.halo;
      t.deepEqual(along(all, 'x'), reach(offsets(x)));
      t.deepEqual({ before: all?.before.z, after: all?.after.z }, reach(offsets(z)));
      const first = maxima({ size, plateaus: 'first' }).plans[0]?.halo;
      // Along x an equal peak of an earlier plane or row may be on either side; along z it is never behind.
      const read = offsets(x).flatMap((equal) => offsets(x).map((o) => equal + o));
      t.deepEqual(along(first, 'x'), reach(read));
      const planes = before(z).flatMap((equal) => offsets(z).map((o) => equal + o));
      t.deepEqual({ before: first?.before.z, after: first?.after.z }, reach(planes));
    }),
  );
});
