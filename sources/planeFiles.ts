import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { OptionError, SourceError } from '../core/errors.js';
import { describeSystemError } from '../core/systemError.js';
import { retrying } from './retry.js';

const PLACEHOLDER = /<Z(?:,(\d+))?>/g;

/** Whether a path stands for the planes of a series, and not for one file or folder. */
export function isPattern(path: string): boolean {
  return path.search(PLACEHOLDER) >= 0;
}

/**
 * Lists the files of a series, plane by plane: those of a pattern such as `raw/Z<Z,4>.tif` in the order of their numbers,
 * or the TIFF files of a folder in natural order (`a2` before `a10`).
 *
 * @throws {OptionError} if the pattern has two placeholders, one in a folder's name, or none of digits
 * @throws {SourceError} if the folder cannot be listed, nothing matches, a number is missing or there twice
 */
export async function planeFiles(pattern: string): Promise<string[]> {
  const placeholders = [...pattern.matchAll(PLACEHOLDER)];
  const [placeholder] = placeholders;
  if (!placeholder) return filesOfFolder(pattern);
  const digits = placeholder[1] === undefined ? undefined : Number(placeholder[1]);
  const inName = basename(pattern).includes(placeholder[0]);
  if (placeholders.length > 1 || !inName || digits === 0 || (digits ?? 0) > 15) {
    throw new OptionError('tiffSeries', 'pattern', 'a path whose file name has <Z,digits> once, digits 1..15', pattern);
  }
  return filesOfPattern(pattern, placeholder[0], digits);
}

async function filesOfFolder(folder: string): Promise<string[]> {
  // Names that begin with a dot are other programs' notes, such as the `._` files of macOS.
  const names = (await list(folder, folder)).filter((name) => /\.tiff?$/i.test(name) && !name.startsWith('.'));
  if (names.length === 0) throw new SourceError(folder, 'no planes, expected files named *.tif or *.tiff');
  return names.sort(inNaturalOrder).map((name) => join(folder, name));
}

async function filesOfPattern(pattern: string, placeholder: string, digits: number | undefined): Promise<string[]> {
  const folder = dirname(pattern);
  const [before = '', after = ''] = basename(pattern).split(placeholder);
  const middle = new RegExp(digits === undefined ? '^\\d{1,15}$' : `^\\d{${digits}}$`);
  const names = new Map<number, string>();
  for (const name of await list(folder, pattern)) {
    if (!name.startsWith(before) || !name.endsWith(after) || name.length <= before.length + after.length) continue;
    const number = name.slice(before.length, name.length - after.length);
    if (!middle.test(number)) continue;
    const twin = names.get(Number(number));
    if (twin !== undefined) {
      throw new SourceError(pattern, `plane ${Number(number)}, expected one file, got ${twin} and ${name}`);
    }
    names.set(Number(number), name);
  }
  const planes = [...names].sort(([a], [b]) => a - b);
  if (planes.length === 0) throw new SourceError(pattern, `no planes, expected files of that pattern in ${folder}`);
  planes.forEach(([number, name], at) => {
    const [last, lastName] = planes[at - 1] ?? [number - 1, ''];
    if (number === last + 1) return;
    const gap = number === last + 2 ? `plane ${last + 1} is` : `planes ${last + 1} to ${number - 1} are`;
    throw new SourceError(pattern, `${gap} missing, expected no gap between ${lastName} and ${name}`);
  });
  return planes.map(([, name]) => join(folder, name));
}

function list(folder: string, source: string): Promise<string[]> {
  return retrying(async () => {
    try {
      return await readdir(folder);
    } catch (error) {
      const problem = `folder ${folder} cannot be listed: ${describeSystemError(error)}`;
      throw new SourceError(source, problem, { cause: error });
    }
  });
}

/** Numbers inside names compare as numbers, the rest by code unit: the same order whatever the machine's language is. */
export function inNaturalOrder(a: string, b: string): number {
  const [ofA, ofB] = [runsOf(a), runsOf(b)];
  for (let i = 0; i < ofA.length && i < ofB.length; i++) {
    const [left, right] = [ofA[i] as string, ofB[i] as string];
    const numbers = /^\d/.test(left) && /^\d/.test(right);
    const difference = numbers ? compareNumbers(left, right) : compare(left, right);
    if (difference !== 0) return difference;
  }
  return ofA.length - ofB.length || compare(a, b);
}

/** Digits and what is between them, in turns. */
function runsOf(name: string): string[] {
  return name.match(/\d+|\D+/g) ?? [];
}

/** Digits of any length: names hold dates and times longer than a double counts. */
function compareNumbers(a: string, b: string): number {
  const [left, right] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  return left.length - right.length || compare(left, right);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
