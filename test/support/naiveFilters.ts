/** Equalizing and the difference of Gaussians, in float64 as SPEC.md says: for `naive`, and as plain. */
import { AXES, type Zyx, zyx } from '../../core/geometry.js';
import type { Voxels } from '../../core/volume.js';
import { around, placeOf, position } from './places.js';

export interface Equalization {
  /** What is left out takes the specification's default. */
  readonly percentile?: readonly [low: number, high: number];
  readonly maxValue?: number;
  readonly window?: Zyx;
  readonly spacing?: Zyx;
  /** 1 between the centers, linearly; 0 takes the nearest center, of two the one before. */
  readonly interpolate?: 0 | 1;
}

export interface Gaussians {
  readonly size: Zyx;
  readonly sigma?: Zyx;
  readonly sigma2?: Zyx;
}

/** I * g, where g is 1 / low, at most maxValue / high, of percentiles in windows around the points of a grid. */
export function equalize(data: Voxels, size: Zyx, asked: Equalization): Float32Array {
  const { percentile = [0.5, 0.95], maxValue = 1.5, interpolate = 1 } = asked;
  const { window = { z: 5, y: 200, x: 200 }, spacing = { z: 5, y: 50, x: 50 } } = asked;
  const counts = zyx((a) => Math.max(1, Math.floor(size[a] / spacing[a])));
  const first = zyx((a) => Math.floor((size[a] - (counts[a] - 1) * spacing[a]) / 2));
  const before = zyx((a) => Math.floor(window[a] / 2));
  const behind = zyx((a) => window[a] - 1 - before[a]);
  const levels: [number, number][] = [];
  for (let i = 0; i < counts.z * counts.y * counts.x; i++) {
    const index = position(i, counts);
    const center = placeOf(
      zyx((a) => first[a] + index[a] * spacing[a]),
      size,
    );
    const values = Float64Array.from(around(center, size, before, behind), (at) => data[at] as number).sort();
    levels.push([orderStatistic(values, percentile[0]), orderStatistic(values, percentile[1])]);
  }
  const along = (a: 'z' | 'y' | 'x') =>
    Array.from({ length: size[a] }, (_, at) => between(at, first[a], spacing[a], counts[a], interpolate));
  const places = { z: along('z'), y: along('y'), x: along('x') };
  return Float32Array.from(data, (value, at) => {
    const p = position(at, size);
    const around = { z: places.z[p.z] as Between, y: places.y[p.y] as Between, x: places.x[p.x] as Between };
    const [low, high] = [trilinear(0, around), trilinear(1, around)];
    const gain = 1 / Math.max(low, 1);
    return value * (high * gain > maxValue ? maxValue / high : gain);
  }).map((value) => (value === 0 ? 0 : value));

  /** Along z first, then y, then x. */
  function trilinear(
    which: 0 | 1,
    { z, y, x }: { readonly z: Between; readonly y: Between; readonly x: Between },
  ): number {
    const level = (at: Zyx) => levels[placeOf(at, counts)]?.[which] as number;
    const alongZ = (inY: number, inX: number) => mixed(z, (inZ) => level({ z: inZ, y: inY, x: inX }));
    return mixed(x, (inX) => mixed(y, (inY) => alongZ(inY, inX)));
  }
}

/** NumPy's percentile of sorted values: linear between order statistics, from the nearer one. */
function orderStatistic(values: Float64Array, part: number): number {
  const place = (values.length - 1) * part;
  const below = Math.floor(place);
  const t = place - below;
  const a = values[below] as number;
  const b = values[Math.min(below + 1, values.length - 1)] as number;
  return t >= 0.5 ? b - (b - a) * (1 - t) : a + (b - a) * t;
}

interface Between {
  readonly lower: number;
  readonly upper: number;
  readonly weight: number;
}

function mixed({ lower, upper, weight }: Between, of: (at: number) => number): number {
  return of(lower) * (1 - weight) + of(upper) * weight;
}

/** The centers that a voxel lies between, and how far on it is; constant beyond the outer ones. */
function between(at: number, first: number, spacing: number, count: number, interpolate: 0 | 1): Between {
  const before = Math.min(Math.max(Math.floor((at - first) / spacing), 0), count - 1);
  const beyond = at - (first + before * spacing);
  const outside = beyond <= 0 || before === count - 1;
  if (interpolate === 0) {
    const nearest = outside || 2 * beyond <= spacing ? before : before + 1;
    return { lower: nearest, upper: nearest, weight: 0 };
  }
  const place = outside ? before : (1 / spacing) * beyond + before;
  const lower = Math.min(Math.floor(place), Math.max(0, count - 2));
  return { lower, upper: Math.min(lower + 1, count - 1), weight: place - lower };
}

/** A - B of two Gaussians cut to a box, where it is above rounding, else 0; edges reflect. */
export function dog(data: Voxels, size: Zyx, { size: box, sigma, sigma2 }: Gaussians): Float32Array {
  const wide = sigma2 ?? zyx((a) => box[a] / (2 * Math.sqrt(2 * Math.log(2))));
  const narrow = sigma ?? zyx((a) => wide[a] / 1.5);
  const a = smoothed(data, size, box, narrow);
  const b = smoothed(data, size, box, wide);
  return Float32Array.from(a, (value, at) => {
    const difference = value - (b[at] as number);
    return difference > 2 ** -20 * Math.abs(value) ? difference : 0;
  });
}

function smoothed(data: Voxels, size: Zyx, box: Zyx, sigma: Zyx): Float64Array {
  let image = Float64Array.from(data);
  for (const axis of AXES) {
    const weights = gaussian(box[axis], sigma[axis]);
    const low = Math.floor(box[axis] / 2);
    const step = { z: size.y * size.x, y: size.x, x: 1 }[axis];
    const out = new Float64Array(image.length);
    for (let at = 0; at < image.length; at++) {
      const along = Math.floor(at / step) % size[axis];
      const origin = at - along * step;
      let sum = 0;
      for (let i = 0; i < weights.length; i++)
        sum += (weights[i] as number) * (image[origin + reflected(along + i - low, size[axis]) * step] as number);
      out[at] = sum;
    }
    image = out;
  }
  return image;
}

function gaussian(size: number, sigma: number): number[] {
  const weights = Array.from({ length: size }, (_, i) => {
    const offset = i - Math.floor(size / 2) + (size % 2 === 0 ? 0.5 : 0);
    return Math.exp(-(offset ** 2) / (2 * sigma ** 2));
  });
  const total = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / total);
}

/** Where a place outside is seen: d c b a | a b c d | d c b a, again and again. */
function reflected(at: number, length: number): number {
  if (at >= 0 && at < length) return at;
  const within = ((at % (2 * length)) + 2 * length) % (2 * length);
  return within < length ? within : 2 * length - 1 - within;
}
