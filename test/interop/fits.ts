/**
 * Compares the curves that flat fields are fitted by with SciPy's: within 1e-3 of their maximum, but where SciPy gives up or stops at
 * a curve that fits the points less well, which may be one in ten.
 *
 *     node dist/test/interop/fits.js
 *
 * Python 3 with numpy and scipy has to be there; `PYTHON` names another one than /usr/bin/python3.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { flatfieldFromRegression } from '../../index.js';
import { drawnPoints } from '../support/fieldPoints.js';
import { inProject } from '../support/paths.js';

interface Fit {
  readonly line: readonly number[] | null;
  readonly squares: number | null;
}

const PYTHON = process.env.PYTHON ?? '/usr/bin/python3';
const sets = Array.from({ length: 120 }, (_, seed) => drawnPoints(seed));
const given = sets.map(({ points, method, length }) => ({
  method,
  length,
  positions: points.map(({ position }) => position),
  intensities: points.map(({ intensity }) => intensity),
}));
const output = execFileSync(PYTHON, [inProject('test/interop/curve_fit.py')], {
  input: JSON.stringify(given),
  maxBuffer: 2 ** 28,
});
const fits: Fit[] = JSON.parse(output.toString());

const same = { gaussian: 0, polynomial: 0 };
for (const [seed, { points, method, length }] of sets.entries()) {
  const { line, squares } = fits[seed] as Fit;
  const ours = flatfieldFromRegression(points, { method });
  if (line === null || squares === null) continue;
  const most = Math.max(...line);
  const apart = ours.line(length).reduce((far, value, at) => Math.max(far, Math.abs(value - (line[at] as number))), 0);
  if (apart <= 1e-3 * most) same[method]++;
  else {
    const own = points.reduce((sum, { position, intensity }) => sum + (ours.at(position) - intensity) ** 2, 0);
    assert.ok(own < squares, `${method}, seed ${seed}: ${apart / most} apart, squares ${own}, SciPy's ${squares}`);
  }
}
const drawn = sets.length / 2;
for (const [method, count] of Object.entries(same))
  assert.ok(count > 0.9 * drawn, `only ${count} ${method}s are the same`);
console.log(
  `${same.gaussian} of ${drawn} Gaussians and ${same.polynomial} of ${drawn} polynomials are SciPy's within 1e-3; ` +
    "the others fit better than SciPy's",
);
