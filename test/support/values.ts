/** Painted grey levels as voxels of every type: their ends, their ties, and where a type rounds. */
import fc from 'fast-check';
import type { Dtype, Voxels } from '../../core/volume.js';

const LEAST_FLOAT = 2 ** -149;

const floats = {
  /** Fractions that float32 rounds. */
  sevenths: (value: number) => value / 7,
  /** Below and above 0, and 0 itself. */
  negative: (value: number) => (value - 500) / 3,
  denormal: (value: number) => value * LEAST_FLOAT,
  /** Up to 1e31 on both sides of 0: beside them the small ones vanish in a sum. */
  huge: (value: number) => (value - 500) * (value % 800 === 100 ? 1 : 1e26),
  /**
   * Apart by more bits than a float64 has, so that a sum depends on the order in which it is taken; correcting the illumination may
   * multiply them by a thousand and leaves them finite.
   */
  powers: (value: number) => 2 ** (Math.min(value, 4400) / 40),
  /** Few levels, so that plateaus and ties are many. */
  steps: (value: number) => Math.floor(value / 1000) / 4,
  /** Both zeros, which are one value. */
  zeros: (value: number, at: number) => (value <= 100 ? (at % 3 === 0 ? 0 : -0) : value),
} as const;

export type ValueKind = 'bytes' | 'words' | keyof typeof floats;
const floatKinds = Object.keys(floats) as ValueKind[];
export const valueKinds: readonly ValueKind[] = ['bytes', 'words', ...floatKinds];

/** Every type is as likely as another, whatever the number of ways to fill it. */
export function valueKindsDrawn(): fc.Arbitrary<ValueKind> {
  return fc.oneof(fc.constant('bytes' as const), fc.constant('words' as const), fc.constantFrom(...floatKinds));
}

export function paintedAs(kind: ValueKind, painted: Uint16Array): Voxels {
  if (kind === 'words') return painted;
  if (kind !== 'bytes') return Float32Array.from(painted, floats[kind]);
  // Levels that differ by less than the shift become one: bytes have few, and many ties.
  const most = painted.reduce((a, b) => Math.max(a, b), 0);
  const shift = Math.max(0, Math.ceil(Math.log2((most + 1) / 256)));
  return Uint8Array.from(painted, (value) => value >> shift);
}

export function dtypeOf(data: Voxels): Dtype {
  if (data instanceof Uint8Array) return 'uint8';
  return data instanceof Uint16Array ? 'uint16' : 'float32';
}
