/** The curves that flat fields are fitted by; positions count from the points' mean, in half their range. */

export interface CurveModel {
  value(parameters: readonly number[], position: number): number;
  /** The derivatives of the value by each parameter. */
  gradient(parameters: readonly number[], position: number): number[];
  /** Parameters to start from; `intensity` is what the image's unit is here. */
  start(variance: number, intensity: number): number[];
}

/** The logarithm of s, so that no step leads to a variance of 0 or below. */
type Gaussian = [a: number, m: number, logS: number, b: number];
type Polynomial = [m: number, a: number, b: number, c: number, d: number];

/** Of points that are all dark but at one position the variance is 0. */
const LEAST_VARIANCE = 1e-6;

export const curveModels: Readonly<Record<'gaussian' | 'polynomial', CurveModel>> = {
  gaussian: {
    value(parameters, x) {
      const [a, m, logS, b] = parameters as Gaussian;
      return a * Math.exp(-((x - m) ** 2) / (2 * Math.exp(logS))) + b;
    },
    gradient(parameters, x) {
      const [a, m, logS] = parameters as Gaussian;
      const s = Math.exp(logS);
      const bell = Math.exp(-((x - m) ** 2) / (2 * s));
      return [bell, (a * bell * (x - m)) / s, (a * bell * (x - m) ** 2) / (2 * s), 1];
    },
    start: (variance, intensity) => [
      1000 * intensity,
      0,
      Math.log(Math.max(variance, LEAST_VARIANCE)),
      400 * intensity,
    ],
  },
  polynomial: {
    value(parameters, x) {
      const [m, a, b, c, d] = parameters as Polynomial;
      const square = (x - m) ** 2;
      return a + square * (b + square * (c + square * d));
    },
    gradient(parameters, x) {
      const [m, , b, c, d] = parameters as Polynomial;
      const square = (x - m) ** 2;
      return [-2 * (x - m) * (b + square * (2 * c + square * 3 * d)), 1, square, square ** 2, square ** 3];
    },
    start: (_, intensity) => [0, intensity, intensity, intensity, 0.1 * intensity],
  },
};
