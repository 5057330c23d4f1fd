import { parseBytes } from '../core/bytes.js';
import { OptionError } from '../core/errors.js';
import type { Zyx } from '../core/geometry.js';

/** Reads `--block Z,Y,X`. */
export function parseBlock(text: string): Zyx {
  const numbers = text.split(',').map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : 0));
  const [z, y, x] = numbers;
  if (numbers.length !== 3 || !numbers.every((size) => Number.isSafeInteger(size) && size >= 1) || !z || !y || !x) {
    throw new OptionError('detect', '--block', "three positive integers 'Z,Y,X'", text);
  }
  return { z, y, x };
}

/** Reads `--threads N`. */
export function parseThreads(text: string): number {
  const threads = /^\d+$/.test(text) ? Number(text) : 0;
  if (threads < 1 || threads > 256) throw new OptionError('detect', '--threads', 'an integer in 1..256', text);
  return threads;
}

/** Reads `--memory 512MiB`: bytes, or a number with a unit. */
export function parseMemory(text: string): number {
  return parseBytes('detect', '--memory', text);
}
