/** What `correctIllumination` takes, refuses and plans, and what native code is told of it. */
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { lastValueFrom } from 'rxjs';
import type { StepPlan } from '../../core/block.js';
import { checkIllumination, evenlyLit, illuminationOf } from '../../core/illumination.js';
import { illuminationOptions } from '../../detection/illumination.js';
import {
  arrayVolume,
  blocks,
  branch,
  type CorrectIlluminationOptions,
  correctIllumination,
  flatfieldFromLine,
  maxima,
  OptionError,
  removeBackground,
  steps,
} from '../../index.js';
import { inProject } from '../support/paths.js';

const PLANE = { y: 2, x: 3 };

function planOf(options: CorrectIlluminationOptions): StepPlan {
  return correctIllumination(options).plans[0] as StepPlan;
}

function plane(data: number[], size = PLANE) {
  return { data, size };
}

const flat = plane([1, 2, 3, 4, 5, 6]);

const refusals: [unknown, string][] = [
  [{}, '(of a file: await readFlatfield(path)), got undefined'],
  [{ flatfield: 'flat.npy' }, "(of a file: await readFlatfield(path)), got 'flat.npy'"],
  [{ flatfield: { values: [1] } }, "(of a file: await readFlatfield(path)), got 'values'"],
  [{ flatfield: flat, flatfeild: flat }, "correctIllumination: has no option 'flatfeild', did you mean 'flatfield'?"],
  [{ flatfield: { ...flat, axis: 'x' } }, "correctIllumination: flatfield has no 'axis'"],
  [{ flatfield: plane([1, 2]) }, 'correctIllumination: flatfield.data must be of 6 numbers, as size says, got 2'],
  [
    { flatfield: plane([], { y: 0, x: 3 }) },
    'correctIllumination: flatfield.size.y must be an integer of at least 1, got 0',
  ],
  [
    { flatfield: { data: 'bright', size: PLANE } },
    "correctIllumination: flatfield.data must be an array of numbers, got '[object String]'",
  ],
  [
    { flatfield: { data: new BigInt64Array(6), size: PLANE } },
    "correctIllumination: flatfield.data must be an array of numbers, got '[object BigInt64Array]'",
  ],
  [{ flatfield: { line: [], axis: 'x' } }, 'correctIllumination: flatfield.line must be of at least one number, got 0'],
  [{ flatfield: { line: [1], axis: 'z' } }, "correctIllumination: flatfield.axis must be 'x' or 'y', got 'z'"],
  [
    { flatfield: flat, background: plane([0, 0], { y: 1, x: 2 }) },
    "correctIllumination: background must be of 2 rows and 3 columns, as the flat field, got '1 rows and 2 columns'",
  ],
  [
    { flatfield: flat, background: { line: [0, 0], axis: 'x' } },
    "correctIllumination: background must be of 2 rows and 3 columns, as the flat field, got '2 columns'",
  ],
  [
    { flatfield: plane([1, 1, 1, 1, 0, -1]) },
    'correctIllumination: flatfield must be above 0 and finite everywhere, got 0 at y 1, x 1',
  ],
  [
    { flatfield: plane([1, 1, Number.NaN, 1, 1, -1]) },
    'correctIllumination: flatfield must be above 0 and finite everywhere, got NaN at y 0, x 2',
  ],
  [
    { flatfield: plane([1, 1, 1, 1, 1, Number.POSITIVE_INFINITY]) },
    'correctIllumination: flatfield must be above 0 and finite everywhere, got Infinity at y 1, x 2',
  ],
  [
    { flatfield: flat, background: { line: [0, 4.5], axis: 'y' } },
    'correctIllumination: flatfield - background must be above 0 and finite everywhere, got -0.5 at y 1, x 0',
  ],
  [
    { flatfield: { line: [1, 2], axis: 'y' }, background: { line: [0, 1.5, 0], axis: 'x' } },
    'correctIllumination: flatfield - background must be above 0 and finite everywhere, got -0.5 at y 0, x 1',
  ],
  ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY, 'median'].map((scaling): [unknown, string] => [
    { flatfield: flat, scaling },
    "correctIllumination: scaling must be a number above 0, 'mean', 'max' or null, got ",
  ]),
];

test('fields and scalings that cannot be are refused at once, in one line that names the first bad pixel', (t) => {
  for (const [options, message] of refusals) {
    const error = t.throws(() => correctIllumination(options as CorrectIlluminationOptions), {
      instanceOf: OptionError,
    });
    t.true(error?.message.includes(message), error?.message);
    t.false(error?.message.includes('\n'));
  }
});

test('fields of another extent than the planes are refused when the volume is known', (t) => {
  const cases: [CorrectIlluminationOptions, string][] = [
    [
      { flatfield: flat },
      "flatfield must be of 3 rows and 3 columns, as the volume's planes, got '2 rows and 3 columns'",
    ],
    [{ flatfield: { line: [1, 1], axis: 'x' } }, "of 3 rows and 3 columns, as the volume's planes, got '2 columns'"],
    [
      { flatfield: { line: [1, 1, 1], axis: 'x' }, background: { line: [0], axis: 'y' } },
      "background must be of 3 rows and 3 columns, as the volume's planes, got '1 rows'",
    ],
  ];
  for (const [options, message] of cases) {
    const plan = planOf(options);
    for (const check of [checkIllumination, illuminationOf]) {
      const error = t.throws(() => void check(plan, { y: 3, x: 3 }), { instanceOf: OptionError });
      t.true(error?.message.includes(message), error?.message);
    }
  }
  t.notThrows(() => checkIllumination(planOf({ flatfield: flat }), PLANE));
});

test('a plan reads nothing around a voxel, and is small, and equal for equal fields only', (t) => {
  const size = { y: 300, x: 200 };
  const data = Float32Array.from({ length: 60_000 }, (_, i) => 1 + i);
  const plan = planOf({ flatfield: { data, size } });
  t.deepEqual([plan.adds, plan.needs], [['illumination'], ['source']]);
  t.deepEqual(plan.halo, { before: { z: 0, y: 0, x: 0 }, after: { z: 0, y: 0, x: 0 } });
  const text = JSON.stringify(plan);
  t.true(text.length < 400, text);
  t.is(text, JSON.stringify(planOf({ flatfield: { data: [...data], size }, scaling: 'mean', background: null })));
  const others: CorrectIlluminationOptions[] = [
    { flatfield: { data: data.map((value, i) => (i === 59_999 ? value + 1 : value)), size } },
    { flatfield: { data, size: { y: 200, x: 300 } } },
    { flatfield: { line: data, axis: 'x' } },
    { flatfield: { data, size }, scaling: 1 },
    { flatfield: { data, size }, background: { line: new Uint8Array(200), axis: 'x' } },
  ];
  t.is(new Set([text, ...others.map((options) => JSON.stringify(planOf(options)))]).size, 6);
});

test('a caller who changes an array afterwards changes nothing', (t) => {
  const data = Float64Array.of(1, 2, 3, 4, 5, 6);
  const plan = planOf({ flatfield: { data, size: PLANE }, scaling: 'max' });
  data.fill(0);
  t.deepEqual([...illuminationOf(plan, PLANE).flatfield], [1, 2, 3, 4, 5, 6]);
});

test('a line is repeated along the other axis, as flatfieldFromLine repeats it', (t) => {
  const reached = { x: 0, y: 0 };
  fc.assert(
    fc.property(
      fc.array(fc.float({ min: 1, max: 1000, noNaN: true }), { minLength: 1, maxLength: 9 }),
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom('x' as const, 'y' as const),
      fc.constantFrom('mean' as const, 'max' as const, null, 2.5),
      (line, along, axis, scaling) => {
        reached[axis]++;
        const size = axis === 'x' ? { y: along, x: line.length } : { y: line.length, x: along };
        const ours = illuminationOf(planOf({ flatfield: { line, axis }, scaling }), size);
        const whole = illuminationOf(planOf({ flatfield: flatfieldFromLine(line, { size, axis }), scaling }), size);
        t.deepEqual(ours.flatfield, whole.flatfield);
        t.is(ours.scaling, whole.scaling);
        for (let y = 0; y < size.y; y++) {
          for (let x = 0; x < size.x; x++) t.is(whole.flatfield[y * size.x + x], line[axis === 'x' ? x : y]);
        }
      },
    ),
  );
  t.true(reached.x > 10 && reached.y > 10);
});

test('the scaling is a number, 1, or the mean or maximum of the flat field, summed in y, x order', (t) => {
  const scaling = (given?: CorrectIlluminationOptions['scaling'], flatfield = flat) =>
    illuminationOf(planOf({ flatfield, ...(given === undefined ? {} : { scaling: given }) }), PLANE).scaling;
  t.deepEqual([scaling(), scaling('mean'), scaling('max'), scaling(null), scaling(0.25)], [3.5, 3.5, 6, 1, 0.25]);
  // From left to right 2^53 swallows each 1; in pairs it would not.
  t.is(scaling('mean', plane([2 ** 53, 1, 1, 1, 1, 1])), 2 ** 53 / 6);
  const below = planOf({ flatfield: plane([-1, -1, -1, -1, -1, -1]), background: plane([-2, -2, -2, -2, -2, -2]) });
  t.throws(() => illuminationOf(below, PLANE), {
    message: "correctIllumination: scaling, the flat field's mean, must be a number above 0, got -1",
  });
});

test('planes of one extent are made once, those of another anew', (t) => {
  const plan = planOf({ flatfield: { line: [1, 2, 3], axis: 'x' } });
  const first = illuminationOf(plan, PLANE);
  t.is(illuminationOf(plan, { ...PLANE }), first);
  t.is(illuminationOf(plan, { y: 4, x: 3 }).flatfield.length, 12);
  t.is(illuminationOf(plan, PLANE).flatfield.length, 6);
});

test('a step evenly lit fits planes of any extent, in a branch too, and other steps stay what they are', async (t) => {
  const dark = { line: [0, 0, 0], axis: 'x' as const };
  const illumination = planOf({ flatfield: flat, background: dark });
  const other = maxima().plans[0] as StepPlan;
  const even = illuminationOf(evenlyLit(illumination), { y: 5, x: 7 });
  t.deepEqual([even.flatfield, even.background, even.scaling], [new Float64Array(35).fill(1), new Float64Array(35), 1]);
  t.is(evenlyLit(other), other);
  const volume = arrayVolume(new Uint8Array(6), { z: 1, ...PLANE });
  const { plans } = await lastValueFrom(
    blocks(volume).pipe(branch({ lit: steps(correctIllumination({ flatfield: flat }), maxima()), plain: maxima() })),
  );
  const lit = plans.map(evenlyLit)[0]?.branches?.lit?.[0] as StepPlan;
  t.deepEqual(illuminationOf(lit, { y: 1, x: 1 }).flatfield, Float64Array.of(1));
});

test('it comes before the background is removed, once', async (t) => {
  const volume = arrayVolume(new Uint8Array(6), { z: 1, ...PLANE });
  const light = correctIllumination({ flatfield: flat });
  const { has } = await lastValueFrom(blocks(volume).pipe(light, removeBackground()));
  t.deepEqual([...has].sort(), ['background', 'illumination', 'source']);
  await t.throwsAsync(lastValueFrom(blocks(volume).pipe(light, light)), { instanceOf: OptionError });
});

test('fields of detectCells may be paths of files, arrays or nothing', async (t) => {
  const [flatfield, background] = ['mini_flatfield.npy', 'mini_dark.npy'].map((name) =>
    inProject(join('test/reference', name)),
  ) as [string, string];
  const read = await illuminationOptions({ flatfield, background, scaling: 'max' });
  const { scaling, ...fields } = illuminationOf(planOf(read), { y: 256, x: 256 });
  t.is(scaling, 0.9992659687995911);
  t.is(fields.background?.[65_535], Math.fround(0.05));
  t.is(fields.flatfield[0], (read.flatfield as { data: Float64Array }).data[0]);
  t.deepEqual(await illuminationOptions({ flatfield: flat }), { flatfield: flat });
  t.deepEqual(await illuminationOptions({ flatfield: flat, background: null }), { flatfield: flat, background: null });
});
