/** What `equalize` takes, refuses and plans, before anything runs. */
import test from 'ava';
import fc from 'fast-check';
import { equalize, OptionError } from '../../index.js';

const refusals: [unknown, string][] = [
  [{ percentile: [0.95, 0.5] }, 'equalize: percentile must be two fractions in 0..1, in order, got [0.95,0.5]'],
  [{ percentile: [-0.1, 0.5] }, 'equalize: percentile must be two fractions in 0..1, in order, got [-0.1,0.5]'],
  [{ percentile: [0.5, 95] }, 'equalize: percentile must be two fractions in 0..1, in order, got [0.5,95]'],
  [{ percentile: [0.5] }, 'equalize: percentile must be two fractions in 0..1, in order, got [0.5]'],
  [{ percentile: [0.1, 0.5, 0.9] }, 'equalize: percentile must be two fractions in 0..1, in order, got [0.1,0.5,0.9]'],
  [{ percentile: 0.5 }, 'equalize: percentile must be two fractions in 0..1, in order, got 0.5'],
  [{ maxValue: 0 }, 'equalize: maxValue must be a finite number above 0, got 0'],
  [{ maxValue: Number.NaN }, 'equalize: maxValue must be a finite number above 0, got NaN'],
  [{ maxValue: '2' }, "equalize: maxValue must be a finite number above 0, got '2'"],
  [{ window: 0 }, 'equalize: window must be an integer in 1..1024, got 0'],
  [{ window: { z: 5, y: 200 } }, 'equalize: window.x must be an integer in 1..1024, got undefined'],
  [{ spacing: { z: 5, y: 2.5, x: 50 } }, 'equalize: spacing.y must be an integer in 1..1024, got 2.5'],
  [{ spacing: 1025 }, 'equalize: spacing must be an integer in 1..1024, got 1025'],
  [{ interpolate: 2 }, 'equalize: interpolate must be 0 or 1, got 2'],
  [{ interpolate: true }, 'equalize: interpolate must be 0 or 1, got true'],
  [{ percentiles: [0.5, 0.95] }, "equalize: has no option 'percentiles', did you mean 'percentile'?"],
];

test('options of equalize that cannot be are refused at once, in one line that names what is wrong', (t) => {
  for (const [options, message] of refusals) {
    t.throws(() => equalize(options as never), { instanceOf: OptionError, message });
  }
});

test('its plan names every option, defaults filled in, and equal percentiles and the ends of 0..1 are taken', (t) => {
  t.deepEqual(equalize().plans[0]?.options, {
    percentile: [0.5, 0.95],
    maxValue: 1.5,
    window: { z: 5, y: 200, x: 200 },
    spacing: { z: 5, y: 50, x: 50 },
    interpolate: 1,
  });
  t.deepEqual(equalize({ percentile: [0, 1] }).plans[0]?.options.percentile, [0, 1]);
  t.deepEqual(equalize({ percentile: [0.5, 0.5] }).plans[0]?.options.percentile, [0.5, 0.5]);
});

/** How far before and after it a voxel of an axis depends on others: on the windows of the centers that it takes anything from. */
function reach(voxel: number, extent: number, spacing: number, window: number) {
  const count = Math.max(1, Math.floor(extent / spacing));
  const first = Math.floor((extent - (count - 1) * spacing) / 2);
  const centers = Array.from({ length: count }, (_, i) => first + i * spacing);
  const before = centers.filter((center) => center <= voxel).at(-1) ?? first;
  const after = centers.find((center) => center >= voxel) ?? (centers.at(-1) as number);
  const starts = [before, after].map((center) => center - Math.floor(window / 2));
  const last = Math.max(...starts) + window - 1;
  return { before: voxel - Math.max(0, Math.min(...starts)), after: Math.min(extent - 1, last) - voxel };
}

test('the halo of equalize holds the windows of all centers that a voxel takes from, and no halo that is smaller does', (t) => {
  const extent = fc.integer({ min: 1, max: 60 });
  const small = fc.integer({ min: 1, max: 20 });
  const seen = { before: 0, after: 0 };
  fc.assert(
    fc.property(extent, small, small, (extent, spacing, window) => {
      const halo = equalize({ window, spacing }).plans[0]?.halo;
      for (let voxel = 0; voxel < extent; voxel++) {
        const { before, after } = reach(voxel, extent, spacing, window);
        for (const axis of ['z', 'y', 'x'] as const) {
          const most = { before: halo?.before[axis] ?? -1, after: halo?.after[axis] ?? -1 };
          t.true(before <= most.before && after <= most.after, `${voxel} of ${extent}`);
          if (before === most.before) seen.before++;
          if (after === most.after) seen.after++;
        }
      }
    }),
    { numRuns: 300 },
  );
  t.true(seen.before > 0 && seen.after > 0, JSON.stringify(seen));
});
