import leven from 'leven';
import { OptionError } from './errors.js';

/** The checks of options that operators share; each raises an `OptionError` of one line. */

/** Says which of the known names was probably meant, or all of them where none is near. */
export function didYouMean(given: string, known: readonly string[]): string {
  const distance = (name: string) => leven(given.toLowerCase(), name.toLowerCase());
  const [nearest = ''] = known.toSorted((a, b) => distance(a) - distance(b));
  const near = distance(nearest) <= Math.max(2, nearest.length / 2) || given.startsWith(nearest);
  return near ? `did you mean '${nearest}'?` : `expected ${oneOf(known)}`;
}

/** Lists names for a person: `'y' or 'x'`. */
export function oneOf(names: readonly string[]): string {
  const quoted = names.map((name) => `'${name}'`);
  return [quoted.slice(0, -1).join(', '), quoted.at(-1)].filter(Boolean).join(' or ');
}

/**
 * Refuses options that are no object, and keys that nobody reads: a misspelt option would else be ignored.
 *
 * `within` names the option whose value is checked; without it these are the options of `where` itself.
 */
export function checkKeys(where: string, given: unknown, known: readonly string[], within?: string): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new OptionError(where, within ?? 'options', `an object of ${known.join(', ')}`, given);
  }
  const unknown = Object.keys(given).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const has = within === undefined ? `has no option '${unknown}'` : `${within} has no '${unknown}'`;
  throw new OptionError(where, unknown, `one of ${known.join(', ')}`, unknown, `${has}, ${didYouMean(unknown, known)}`);
}

/** Refuses a value that is none of those named. */
export function checkOneOf(where: string, option: string, given: unknown, known: readonly string[]): void {
  if ((known as readonly unknown[]).includes(given)) return;
  throw new OptionError(where, option, oneOf(known), given);
}

/** Refuses a threshold that no voxel can be compared with; null stands for none. */
export function checkThreshold(where: string, given: unknown): void {
  if (given === null || Number.isFinite(given)) return;
  throw new OptionError(where, 'threshold', 'a finite number or null', given);
}

/** Reads an extent in voxels, one number for all axes or an object with each, whose integers are `least` to `most`. */
export function extentOf<Axis extends 'z' | 'y' | 'x'>(
  where: string,
  given: number | Readonly<Record<Axis, number>>,
  axes: readonly Axis[],
  most: number,
  option = 'size',
  least = 1,
): Readonly<Record<Axis, number>> {
  const alike = typeof given !== 'object' || given === null;
  if (!alike) checkKeys(where, given, axes, option);
  const extents = axes.map((axis) => [axis, alike ? given : given[axis]] as const);
  for (const [axis, extent] of extents) {
    if (!Number.isInteger(extent) || extent < least || extent > most) {
      throw new OptionError(where, alike ? option : `${option}.${axis}`, `an integer in ${least}..${most}`, extent);
    }
  }
  return Object.fromEntries(extents) as Record<Axis, number>;
}
