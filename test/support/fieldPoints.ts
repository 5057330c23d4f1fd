/** Points along an axis as a flat field's measurement gives them. */
import type { IntensityPoint } from '../../index.js';
import { random } from './random.js';

export interface FieldPoints {
  readonly method: 'gaussian' | 'polynomial';
  readonly points: readonly IntensityPoint[];
  /** Of the axis, in pixels. */
  readonly length: number;
}

/** Half of them scatter about a Gaussian by up to 5 %, half about a polynomial by up to 0.5 %. */
export function drawnPoints(seed: number): FieldPoints {
  const next = random(seed);
  const between = (low: number, high: number) => low + (high - low) * next();
  const method = seed % 2 === 0 ? 'gaussian' : 'polynomial';
  const length = Math.floor(between(100, 3000));
  const [height, base, center, width] = [
    between(200, 20000),
    between(50, 3000),
    between(0.3, 0.7) * length,
    between(0.1, 0.6) * length,
  ];
  const [b, c, d] = [between(0.1, 0.4), between(0, 0.1), between(-0.05, 0.05)];
  const curve = (x: number) => {
    const square = ((2 * (x - center)) / length) ** 2;
    if (method === 'polynomial') return (base + height) * (1 - square * (b + square * (c + square * d)));
    return base + height * Math.exp(-((x - center) ** 2) / (2 * width ** 2));
  };
  const scatter = between(0, method === 'gaussian' ? 0.05 : 0.005) * (base + height);
  const points = Array.from({ length: Math.floor(between(30, 300)) }, () => {
    const position = between(0, length);
    return { position, intensity: Math.max(0, curve(position) + scatter * (next() + next() + next() - 1.5)) };
  });
  return { method, length, points };
}
