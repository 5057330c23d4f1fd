/** What dog takes, refuses and plans, before anything runs. */
import test from 'ava';
import fc from 'fast-check';
import type { StepPlan } from '../../core/block.js';
import { OptionError } from '../../core/errors.js';
import { AXES, type Zyx } from '../../core/geometry.js';
import { type DogOptions, dog } from '../../operators/dog.js';

test('options that cannot be are refused at once, in one line that names what is wrong', (t) => {
  const refusals: readonly (readonly [unknown, string])[] = [
    [{}, 'size must be an integer in 1..128, got undefined'],
    [{ size: 0 }, 'size must be an integer in 1..128, got 0'],
    [{ size: 129 }, 'size must be an integer in 1..128, got 129'],
    [{ size: { z: 6, y: 10.5, x: 10 } }, 'size.y must be an integer in 1..128, got 10.5'],
    [{ size: { z: 6, y: 10 } }, 'size.x must be an integer in 1..128, got undefined'],
    [{ size: 5, sigma: 0 }, 'sigma must be a finite number above 0, got 0'],
    [{ size: 5, sigma2: 0 }, 'sigma2 must be a finite number above 0, got 0'],
    [{ size: 5, sigma: { z: 1, y: 0, x: 1 } }, 'sigma.y must be a finite number above 0, got 0'],
    [{ size: 5, sigma2: { z: -1, y: 1, x: 1 } }, 'sigma2.z must be a finite number above 0, got -1'],
    [{ size: 5, sigma2: { z: 1, y: 1 } }, 'sigma2.x must be a finite number above 0, got undefined'],
    [{ size: 5, sigma: { z: 1, y: 1, x: 1, t: 1 } }, "sigma has no 't', did you mean 'z'?"],
    [{ size: 5, sigma: Number.NaN }, 'sigma must be a finite number above 0, got NaN'],
    [{ size: 5, sigma2: Number.POSITIVE_INFINITY }, 'sigma2 must be a finite number above 0, got Infinity'],
    [{ size: 5, sigma: '2' }, "sigma must be a finite number above 0, got '2'"],
    [{ size: 5, sigma: null }, 'sigma must be a finite number above 0, got null'],
    [{ size: 5, sigma2: null }, 'sigma2 must be a finite number above 0, got null'],
    [{ size: 5, sigma1: 2 }, "has no option 'sigma1', did you mean 'sigma'?"],
    [undefined, 'options must be an object of size, sigma, sigma2, got undefined'],
  ];
  for (const [options, message] of refusals) {
    t.throws(() => dog(options as DogOptions), { instanceOf: OptionError, message: `dog: ${message}` });
  }
});

test('the plan names both Gaussians of every axis, by default as wide as the box at half height and 1.5 times narrower', (t) => {
  const plan = dog({ size: { x: 10, y: 10, z: 6 } }).plans[0] as StepPlan;
  t.deepEqual([plan.name, plan.adds, plan.needs], ['dog', ['dog'], ['source']]);
  const { size, sigma, sigma2 } = plan.options as Record<keyof DogOptions, Zyx>;
  t.is(JSON.stringify(size), '{"z":6,"y":10,"x":10}');
  for (const axis of AXES) {
    // Half the size away from its center a Gaussian of that width is half as high.
    t.true(Math.abs(Math.exp(-((size[axis] / 2) ** 2) / (2 * sigma2[axis] ** 2)) - 0.5) < 1e-12);
    t.is(sigma[axis], sigma2[axis] / 1.5);
  }
});

test('a sigma that is given stays, and the narrow one follows the wide one', (t) => {
  const options = (given: DogOptions) => dog(given).plans[0]?.options;
  t.deepEqual(options({ size: 5, sigma2: { x: 6, y: 3, z: 1.5 } }), {
    size: { z: 5, y: 5, x: 5 },
    sigma: { z: 1, y: 2, x: 4 },
    sigma2: { z: 1.5, y: 3, x: 6 },
  });
  t.deepEqual(options({ size: 5, sigma: 2, sigma2: 3 })?.sigma, { z: 2, y: 2, x: 2 });
  t.deepEqual(options({ size: 5, sigma: 0.5 })?.sigma2, options({ size: 5 })?.sigma2);
});

test('the halo is what the box reads, and holds whatever reflection reads at the edges of a volume', (t) => {
  const reached = { even: 0, odd: 0, atAnEdge: 0, reflectedTwice: 0 };
  const drawn = fc.record({ size: fc.integer({ min: 1, max: 128 }), length: fc.integer({ min: 1, max: 200 }) });
  fc.assert(
    fc.property(drawn, fc.nat(), ({ size, length }, drawnAt) => {
      const at = drawnAt % length;
      const halo = dog({ size: { z: 1, y: size, x: 1 } }).plans[0]?.halo;
      const before = halo?.before.y ?? Number.NaN;
      const after = halo?.after.y ?? Number.NaN;
      t.deepEqual([before, after], [Math.floor(size / 2), size - 1 - Math.floor(size / 2)]);
      t.deepEqual([halo?.before.z, halo?.after.z, halo?.before.x, halo?.after.x], [0, 0, 0, 0]);
      for (let read = at - before; read <= at + after; read++) {
        let [inside, times] = [read, 0];
        for (; inside < 0 || inside >= length; times++) inside = inside < 0 ? -1 - inside : 2 * length - 1 - inside;
        t.true(inside >= at - before && inside <= at + after, `size ${size}, ${at} of ${length} reads ${inside}`);
        if (times > 0) reached.atAnEdge++;
        if (times > 1) reached.reflectedTwice++;
      }
      reached[size % 2 === 0 ? 'even' : 'odd']++;
    }),
  );
  for (const [what, times] of Object.entries(reached)) t.true(times > 0, what);
});
