import { OptionError } from '../core/errors.js';
import { checkKeys, checkOneOf } from '../core/options.js';

/** Numbers in memory. */
export type Numbers =
  | readonly number[]
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

/** A number for each pixel of a plane: x fastest, then y. */
export interface FieldPlane {
  readonly data: Numbers;
  readonly size: { readonly y: number; readonly x: number };
}

/** A number for each column of a plane (axis `'x'`) or each row (axis `'y'`), the same along the other axis. */
export interface FieldLine {
  readonly line: Numbers;
  readonly axis: 'x' | 'y';
}

export interface FlatfieldFromLineOptions {
  /** Extent of the plane in pixels; along `axis` that of the line. */
  readonly size: { readonly y: number; readonly x: number };
  /** The axis that the line lies along; it is repeated along the other. */
  readonly axis: 'x' | 'y';
}

/**
 * A plane that is a line, repeated: the flat field of a light sheet whose intensity changes along one axis.
 *
 * @param line a number a pixel along `axis`, in any unit
 * @returns a float64 plane [y, x], x fastest, in the line's unit
 * @throws {OptionError} if the line is no list of numbers, an extent is no positive integer, the two do not match, or an option
 * is unknown
 * @source the method of ClearMap's `flatfield_from_line`
 * @example const { data } = flatfieldFromLine([0.8, 1, 0.9], { size: { y: 2, x: 3 }, axis: 'x' })
 */
export function flatfieldFromLine(
  line: Numbers,
  options: FlatfieldFromLineOptions,
): FieldPlane & { data: Float64Array } {
  checkKeys('flatfieldFromLine', options, ['size', 'axis']);
  const { size, axis } = options;
  checkLine('flatfieldFromLine', line, axis);
  checkSize('flatfieldFromLine', size);
  if (line.length !== size[axis]) {
    throw new OptionError('flatfieldFromLine', 'line', `of ${size[axis]} numbers, as size.${axis} says`, line.length);
  }
  const data = new Float64Array(size.y * size.x);
  for (let y = 0; y < size.y; y++) {
    const row = data.subarray(y * size.x, (y + 1) * size.x);
    if (axis === 'x') row.set(line);
    else row.fill(line[y] as number);
  }
  return { data, size: { y: size.y, x: size.x } };
}

/** @throws {OptionError} if these are no numbers along an axis; `path` is what the options are within */
export function checkLine(where: string, line: Numbers, axis: 'x' | 'y', path = ''): void {
  checkNumbers(where, `${path}line`, line);
  if (line.length === 0) throw new OptionError(where, `${path}line`, 'of at least one number', 0);
  checkOneOf(where, `${path}axis`, axis, ['x', 'y']);
}

/** @throws {OptionError} if these are no numbers for as many pixels as they should */
export function checkPlane(where: string, { data, size }: FieldPlane, path = ''): void {
  checkNumbers(where, `${path}data`, data);
  checkSize(where, size, path);
  if (data.length !== size.y * size.x) {
    throw new OptionError(where, `${path}data`, `of ${size.y * size.x} numbers, as size says`, data.length);
  }
}

function checkSize(where: string, size: FieldPlane['size'], path = ''): void {
  checkKeys(where, size, ['y', 'x'], `${path}size`);
  for (const axis of ['y', 'x'] as const) {
    if (Number.isInteger(size[axis]) && size[axis] >= 1) continue;
    throw new OptionError(where, `${path}size.${axis}`, 'an integer of at least 1', size[axis]);
  }
}

/** Whether they are finite is left to whoever uses them, who can say where they are. */
function checkNumbers(where: string, option: string, given: unknown): void {
  const typed = ArrayBuffer.isView(given) && !(given instanceof DataView);
  if ((typed || Array.isArray(given)) && typeof (given as Numbers)[0] !== 'bigint') return;
  throw new OptionError(where, option, 'an array of numbers', Object.prototype.toString.call(given));
}
