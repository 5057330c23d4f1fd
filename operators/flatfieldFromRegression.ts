import { levenbergMarquardt } from 'ml-levenberg-marquardt';
import { OptionError } from '../core/errors.js';
import { checkKeys, checkOneOf } from '../core/options.js';
import { type CurveModel, curveModels } from './curveModels.js';

/** An intensity that was measured at a place along an axis. */
export interface IntensityPoint {
  /** In pixels; may be fractional. */
  readonly position: number;
  /** In the image's unit, 0 or more. */
  readonly intensity: number;
}

export interface FlatfieldFromRegressionOptions {
  /**
   * The curve: `'gaussian'` is `a exp(-(x - m)^2 / (2 s)) + b`, `'polynomial'` is `a + b (x - m)^2 + c (x - m)^4 + d (x - m)^6`.
   * Default `'polynomial'`.
   */
  readonly method?: 'gaussian' | 'polynomial';
}

/** A smooth intensity along an axis. */
export interface FlatfieldCurve {
  /** The intensity at a position in pixels, in the unit of the points. */
  at(position: number): number;
  /** The intensities at positions 0 to `length - 1`, a line for `correctIllumination` and `flatfieldFromLine`. */
  line(length: number): Float64Array;
}

/**
 * Fits a smooth curve to intensities along an axis: the flat field of a light sheet, from measurements that scatter.
 *
 * Least squares by Levenberg-Marquardt (the package ml-levenberg-marquardt, a step at a time), all points alike. The fit starts at the
 * intensity-weighted mean position m, for the Gaussian with the weighted variance s, a = 1000 and b = 400, for the polynomial
 * with a, b, c = 1 and d = 0.1; inside, positions are scaled to half their range.
 *
 * @throws {OptionError} if a position is not finite, an intensity is not finite or below 0, all are 0, there are fewer different
 * positions than the curve has parameters (4 for `'gaussian'`, 5 for `'polynomial'`), or an option is unknown
 * @source Marquardt, J. SIAM 11, 431 (1963); the curves and their start are those of ClearMap's `flatfield_line_from_regression`
 * @example applied(volume, correctIllumination({ flatfield: { line: flatfieldFromRegression(points).line(volume.size.x), axis: 'x' } }))
 */
export function flatfieldFromRegression(
  points: readonly IntensityPoint[],
  options: FlatfieldFromRegressionOptions = {},
): FlatfieldCurve {
  checkKeys('flatfieldFromRegression', options, ['method']);
  const { method = 'polynomial' } = options;
  checkOneOf('flatfieldFromRegression', 'method', method, ['gaussian', 'polynomial']);
  const model = curveModels[method];
  checkPoints(points, model.start(1, 1).length);
  const weight = sum(points, ({ intensity }) => intensity);
  const mean = sum(points, ({ position, intensity }) => position * intensity) / weight;
  const variance = sum(points, ({ position, intensity }) => (position - mean) ** 2 * intensity) / weight;
  const positions = points.map(({ position }) => position);
  const scale = (greatest(positions) + greatest(positions.map((position) => -position))) / 2;
  const unit = greatest(points.map(({ intensity }) => intensity));
  // Positions and intensities of about 1: the damping is the same for all parameters.
  const x = points.map(({ position }) => (position - mean) / scale);
  const y = points.map(({ intensity }) => intensity / unit);
  const parameters = fitted(model, x, y, model.start(variance / scale ** 2, 1 / Math.max(unit, LEAST_UNIT)));
  const at = (position: number) => unit * model.value(parameters, (position - mean) / scale);
  return { at, line: (length) => Float64Array.from({ length }, (_, position) => at(position)) };
}

/** Beside intensities that are smaller by far the start would be infinite. */
const LEAST_UNIT = 1e-6;
const MOST_STEPS = 1000;
/** Per point. The first step must not go far, since the start may be far off. */
const FIRST_DAMPING = 0.1;
const LEAST_DAMPING = 1e-12;
const MOST_DAMPING = 1e12;
/** Part of the error by which a step has to lessen it for another to be worth taking. */
const LEAST_GAIN = 1e-12;

/**
 * The parameters of least squares. The library goes on from a step that made things worse, and may never come back; one step at
 * a time, such a step is taken back, and tried again with more damping.
 */
function fitted(
  model: CurveModel,
  x: readonly number[],
  y: readonly number[],
  start: readonly number[],
): readonly number[] {
  let parameters = [...start];
  let error = y.reduce(
    (total, intensity, at) => total + (intensity - model.value(parameters, x[at] as number)) ** 2,
    0,
  );
  let damping = FIRST_DAMPING;
  for (let step = 0; step < MOST_STEPS && damping < MOST_DAMPING; step++) {
    const { parameterValues, parameterError, iterations } = levenbergMarquardt(
      { x, y },
      (given) => (position) => model.value(given, position),
      {
        initialValues: parameters,
        damping: damping * x.length,
        maxIterations: 1,
        errorTolerance: 0,
        jacobianFunction: (given) => (position) => model.gradient(given, position),
      },
    );
    // Without any error the library takes no step.
    if (iterations === 0) break;
    const gain = error - parameterError;
    damping = gain > 0 ? Math.max(damping / 9, LEAST_DAMPING) : damping * 11;
    parameters = parameterValues;
    error = parameterError;
    if (gain > 0 && gain < LEAST_GAIN * error) break;
  }
  return parameters;
}

function checkPoints(points: readonly IntensityPoint[], parameters: number): void {
  const where = 'flatfieldFromRegression';
  if (!Array.isArray(points)) throw new OptionError(where, 'points', 'a list of { position, intensity }', points);
  for (const [at, point] of points.entries()) {
    checkKeys(where, point, ['position', 'intensity'], `points[${at}]`);
    const { position, intensity } = point as IntensityPoint;
    if (!Number.isFinite(position)) {
      throw new OptionError(where, `points[${at}].position`, 'a finite number', position);
    }
    if (!(Number.isFinite(intensity) && intensity >= 0)) {
      throw new OptionError(where, `points[${at}].intensity`, 'a finite number of at least 0', intensity);
    }
  }
  const positions = new Set(points.map(({ position }) => position)).size;
  if (positions < parameters) {
    throw new OptionError(where, 'points', `at ${parameters} different positions or more`, positions);
  }
  if (points.every(({ intensity }) => intensity === 0)) {
    throw new OptionError(where, 'points', 'with an intensity above 0', 0);
  }
}

function sum(points: readonly IntensityPoint[], of: (point: IntensityPoint) => number): number {
  return points.reduce((total, point) => total + of(point), 0);
}

function greatest(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b));
}
