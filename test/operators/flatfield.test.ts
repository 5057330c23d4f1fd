/** Flat fields made of lines, and curves fitted to points. */
import { readFileSync } from 'node:fs';
import test from 'ava';
import {
  correctIllumination,
  type FieldPlane,
  flatfieldFromLine,
  flatfieldFromRegression,
  type IntensityPoint,
  OptionError,
} from '../../index.js';
import { drawnPoints } from '../support/fieldPoints.js';
import { inProject } from '../support/paths.js';

/** SciPy's curve through the points of a seed: its maximum, and its value at some positions. */
interface Fit {
  readonly seed: number;
  readonly method: 'gaussian' | 'polynomial';
  readonly most: number;
  readonly at: readonly (readonly [position: number, intensity: number])[];
}

const fits: Fit[] = JSON.parse(readFileSync(inProject('test/reference/flatfield_fits.json'), 'utf8'));

test("the curves are those of SciPy's curve_fit within 1e-3 of their maximum", (t) => {
  const seen = { gaussian: 0, polynomial: 0 };
  for (const { seed, method, most, at } of fits) {
    const { points, length, method: drawn } = drawnPoints(seed);
    t.is(drawn, method);
    seen[method]++;
    const curve = flatfieldFromRegression(points, { method });
    const line = curve.line(length);
    for (const [position, intensity] of at) {
      const apart = Math.abs(curve.at(position) - intensity);
      t.true(apart <= 1e-3 * most, `seed ${seed}, ${method}: ${apart} of ${most} at ${position}`);
      t.is(line[position], curve.at(position));
    }
  }
  t.deepEqual(seen, { gaussian: 12, polynomial: 12 });
});

/** Points without scatter, every `step` pixels. */
function pointsOf(curve: (x: number) => number, length: number, step: number): IntensityPoint[] {
  return Array.from({ length: Math.ceil(length / step) }, (_, at) => at * step).map((position) => ({
    position,
    intensity: curve(position),
  }));
}

test('points that lie on a curve give that curve back, wherever they begin and however bright they are', (t) => {
  const bell = (x: number) => 3000 * Math.exp(-((x - 800) ** 2) / (2 * 400 ** 2)) + 250;
  const arch = (x: number) => 5000 - 8e-4 * (x - 700) ** 2 - 2e-10 * (x - 700) ** 4;
  for (const [curve, method] of [
    [bell, 'gaussian'],
    [arch, 'polynomial'],
  ] as const) {
    for (const [shift, factor] of [
      [0, 1],
      [-5000, 0.001],
      [1e5, 20],
    ] as const) {
      const points = pointsOf(curve, 2000, 31).map(({ position, intensity }) => ({
        position: position + shift,
        intensity: intensity * factor,
      }));
      const fitted = flatfieldFromRegression(points, { method });
      for (const x of [0, 321, 777, 1500, 1999]) {
        const apart = Math.abs(fitted.at(x + shift) / factor / curve(x) - 1);
        t.true(apart < 1e-6, `${method} at ${x}, shifted by ${shift}, ${factor} times as bright: ${apart}`);
      }
    }
  }
});

test('without a method the curve is the polynomial, and its line is a flat field', (t) => {
  const points = pointsOf((x) => 900 - (x - 50) ** 2 / 10, 100, 7);
  const line = flatfieldFromRegression(points).line(100);
  t.deepEqual(line, flatfieldFromRegression(points, { method: 'polynomial' }).line(100));
  t.is(correctIllumination({ flatfield: { line, axis: 'x' } }).plans.length, 1);
});

test('points that hardly say anything still give a curve that is finite', (t) => {
  const kinds: Readonly<Record<string, (at: number) => number>> = {
    even: () => 100,
    'bright at one': (at) => (at === 3 ? 1e4 : 0),
    'as small as can be': (at) => (at % 2) * 1e-300,
    growing: (at) => at ** 2,
    'far apart': (at) => 10 ** ((at % 7) * 3 - 9),
  };
  for (const [kind, of] of Object.entries(kinds)) {
    const points = Array.from({ length: 12 }, (_, at) => ({ position: at * 10, intensity: of(at) }));
    for (const method of ['gaussian', 'polynomial'] as const) {
      t.true(flatfieldFromRegression(points, { method }).line(120).every(Number.isFinite), `${kind}, ${method}`);
    }
  }
});

const point = (position: unknown, intensity: unknown) => ({ position, intensity });
const four = [0, 1, 2, 3].map((x) => point(x, 1));

test('points and options that cannot be are refused in one line', (t) => {
  const cases: [unknown, unknown, string][] = [
    [four, {}, 'points must be at 5 different positions or more, got 4'],
    [[...four, point(3, 2)], {}, 'points must be at 5 different positions or more, got 4'],
    [four.slice(1), { method: 'gaussian' }, 'points must be at 4 different positions or more, got 3'],
    [[point(Number.NaN, 1)], {}, 'points[0].position must be a finite number, got NaN'],
    [[...four, point(1, -1)], {}, 'points[4].intensity must be a finite number of at least 0, got -1'],
    [[point(1, Infinity)], {}, 'points[0].intensity must be a finite number of at least 0, got Infinity'],
    [[{ position: 1, brightness: 2 }], {}, "points[0] has no 'brightness', expected 'position' or 'intensity'"],
    [[1], {}, 'points[0] must be an object of position, intensity, got 1'],
    [{ x: 1 }, {}, 'points must be a list of { position, intensity }, got {"x":1}'],
    [[0, 1, 2, 3, 4].map((x) => point(x, 0)), {}, 'points must be with an intensity above 0, got 0'],
    [four, { method: 'spline' }, "method must be 'gaussian' or 'polynomial', got 'spline'"],
    [four, { methods: 'gaussian' }, "has no option 'methods', did you mean 'method'?"],
  ];
  for (const [points, options, message] of cases) {
    t.throws(() => flatfieldFromRegression(points as never, options as never), {
      instanceOf: OptionError,
      message: `flatfieldFromRegression: ${message}`,
    });
  }
});

test('flatfieldFromLine gives a plane of float64, and refuses a line of another length', (t) => {
  const size = { y: 2, x: 3 };
  const expected: FieldPlane = { data: Float64Array.of(1, 2, 3, 1, 2, 3), size };
  t.deepEqual(flatfieldFromLine(Uint16Array.of(1, 2, 3), { size, axis: 'x' }), expected);
  t.deepEqual(flatfieldFromLine([7, 8], { size, axis: 'y' }).data, Float64Array.of(7, 7, 7, 8, 8, 8));
  const cases: [unknown, unknown, string][] = [
    [[1, 2], { size, axis: 'x' }, 'line must be of 3 numbers, as size.x says, got 2'],
    [[1, 2, 3], { size, axis: 'y' }, 'line must be of 2 numbers, as size.y says, got 3'],
    [[1, 2, 3], { size }, "axis must be 'x' or 'y', got undefined"],
    [[1], { size: { y: 1.5, x: 1 }, axis: 'x' }, 'size.y must be an integer of at least 1, got 1.5'],
    [7, { size, axis: 'x' }, "line must be an array of numbers, got '[object Number]'"],
    [[1], { size, axis: 'x', along: 'y' }, "has no option 'along', expected 'size' or 'axis'"],
  ];
  for (const [line, options, message] of cases) {
    t.throws(() => flatfieldFromLine(line as never, options as never), {
      instanceOf: OptionError,
      message: `flatfieldFromLine: ${message}`,
    });
  }
});
