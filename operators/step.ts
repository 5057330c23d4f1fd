import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { FIXED_IMAGES, type FixedImage, type ImageResult, type NamedImage, type Step } from '../core/block.js';
import { OptionError } from '../core/errors.js';
import { AXES, type Zyx } from '../core/geometry.js';
import { checkKeys, checkOneOf, extentOf } from '../core/options.js';
import { makes } from '../core/step.js';
import type { ModuleCode, PlaneFunction } from '../core/userStep.js';
import type { Dtype } from '../core/volume.js';

interface AnyStepOptions<With extends ImageResult> {
  /** Voxels around each that the function reads, on both sides, along all axes or each, 0 to 255. */
  readonly halo: number | Zyx;
  /** Type of the voxels that the function gives. Default: its input's. */
  readonly dtype?: Dtype;
  /** Further images of which the function is given the same planes: of steps before, or channels that `blocks` was given. Default none. */
  readonly with?: readonly With[];
  /** What the function is given as `window.options`: anything that JSON can say. */
  readonly options?: unknown;
}

/** A function on the JavaScript thread. */
export interface InlineStepOptions<With extends ImageResult> extends AnyStepOptions<With> {
  /** Makes plane z: `size.y * size.x` voxels of the dtype, at once or later. */
  readonly run: PlaneFunction;
}

/** A function of a module, in worker threads. */
export interface ModuleStepOptions<With extends ImageResult> extends AnyStepOptions<With> {
  /** Address of the module: a `file:` or `data:` URL, such as `new URL('./smooth.js', import.meta.url)`, or an absolute path. */
  readonly module: string | URL;
  /** The name under which the module exports the function. Default `'default'`. */
  readonly export?: string;
}

export type StepOptions<With extends ImageResult = never> = InlineStepOptions<With> | ModuleStepOptions<With>;

/** Results that are no images, and names of columns that tables have by themselves. */
const NO_IMAGES = ['maxima', 'shape', 'intensity'];
const COLUMN = /^([xyz]|size|volume|label|flags|centroid_[xyz]|box_[xyz][01])$/;

/**
 * Adds a step of the user's own: a function that makes each plane of an image from the planes around it.
 *
 * The function is called once for each plane z of each block, with the planes `z - halo.z` to `z + halo.z` as far as the volume has them, on
 * the rows and columns that the block needs and the halo around them; it gives a plane of the same rows and columns. It must make the same
 * of the same surroundings, whatever lies beyond its halo: then cells and images are the same for every layout. It takes the edges of what it
 * sees for those of the volume; where they are not, what it makes of them is cut off. Planes are lent, to be read until the
 * function settles. Of float32 results, -0 becomes 0.
 *
 * With `module` the function runs in worker threads, planes of a block side by side, up to the run's `threads` at a time; the modules of all
 * threads are loaded by themselves, so they share no variables. When the run is cancelled its thread ends; its `signal` may never fire.
 * With `run` it is called on the JavaScript thread, one plane after another, and while it works nothing else there does: no timer, no other
 * stream, no cancelling. Such a step is for tests, for small volumes, and for functions that wait for something else. When the run is
 * cancelled its `signal` fires, and what it still gives is dropped.
 *
 * The name becomes one of the results by declaration merging; then it can be measured, saved and asked for by `block.voxels`.
 *
 * @needs `source`, or the last image made before: uint8, uint16 or float32 [z, y, x]; and the images of `with`
 * @adds the name: the declared dtype [z, y, x], in the unit that the function gives
 * @halo as declared, on both sides along each axis
 * @throws {OptionError} at once, if the name is taken or not of letters, digits and '_', a halo is not an integer in 0..255, there is not one
 * of run and module, the module has no absolute address, options are not JSON, or an option is unknown
 * @throws {StepError} in the stream, inside a `BlockError` that names the region, if the module cannot be loaded, or the function throws or
 * gives another type or number of voxels, NaN or infinity
 * @example
 * declare module 'somaflow' { interface Results { readonly smooth: 'voxels' } }
 * const smooth = step('smooth', { halo: { z: 0, y: 1, x: 1 }, module: new URL('./smooth.js', import.meta.url) });
 * blocks(volume).pipe(removeBackground(), smooth, maxima(), shape(), intensity({ measure: ['source', 'smooth'] }), cells())
 */
export function step<const Name extends NamedImage, const With extends ImageResult = never>(
  name: Name,
  options: StepOptions<With>,
): Step<'source' | Exclude<With, FixedImage>, Name> {
  if (typeof name !== 'string' || !/^[A-Za-z]\w*$/.test(name)) {
    throw new OptionError('step', 'name', "of letters, digits and '_', a letter first", name);
  }
  if ([...FIXED_IMAGES, ...NO_IMAGES].includes(name) || COLUMN.test(name))
    throw new OptionError('step', 'name', 'other than those of results and columns', name);
  const where = `step ${name}`;
  checkKeys(where, options, ['halo', 'dtype', 'with', 'options', 'run', 'module', 'export']);
  const { dtype, with: others = [] } = options;
  const halo = extentOf(where, options.halo, AXES, 255, 'halo', 0);
  if (dtype !== undefined) checkOneOf(where, 'dtype', dtype, ['uint8', 'uint16', 'float32']);
  checkOthers(where, name, others);
  const given = jsonOf(where, options.options);
  const code = codeOf(where, options);
  const needs = others.filter((other) => !(FIXED_IMAGES as readonly string[]).includes(other)) as Exclude<
    With,
    FixedImage
  >[];
  return makes(name, ['source', ...needs], {
    name: where,
    options: {
      ...{ halo, with: others, options: given },
      ...(dtype && { dtype }),
      ...(typeof code === 'function' ? { run: code.name } : code),
    },
    halo: { before: halo, after: halo },
    ...(dtype && { dtype }),
    external: { code, with: others, options: given },
  });
}

function codeOf(where: string, options: StepOptions<ImageResult>): PlaneFunction | ModuleCode {
  const [run, module] = ['run' in options ? options.run : undefined, 'module' in options ? options.module : undefined];
  if ((run === undefined) === (module === undefined)) {
    const got = run === undefined ? 'neither' : 'both';
    throw new OptionError(where, 'run', 'given, or module', got, `either run or module must be given, got ${got}`);
  }
  const exported = 'export' in options ? options.export : undefined;
  if (run !== undefined) {
    if (typeof run !== 'function') throw new OptionError(where, 'run', 'a function', run);
    if (exported !== undefined) throw new OptionError(where, 'export', 'left out without module', exported);
    return run;
  }
  if (exported !== undefined && typeof exported !== 'string') {
    throw new OptionError(where, 'export', 'the name of an export', exported);
  }
  return { module: addressOf(where, module), export: exported ?? 'default' };
}

/** The module's URL. A relative path would be taken from wherever the worker thread's own code lies. */
function addressOf(where: string, module: unknown): string {
  if (typeof module === 'string' && isAbsolute(module)) return pathToFileURL(module).href;
  const url =
    module instanceof URL ? module : typeof module === 'string' && URL.canParse(module) ? new URL(module) : null;
  if (url && ['file:', 'data:'].includes(url.protocol)) return url.href;
  const expected = "a file: or data: URL, such as new URL('./smooth.js', import.meta.url), or an absolute path";
  throw new OptionError(where, 'module', expected, module);
}

function checkOthers(where: string, name: string, others: readonly string[]): void {
  if (!Array.isArray(others)) throw new OptionError(where, 'with', 'a list of images', others);
  for (const [at, other] of others.entries()) {
    if (typeof other !== 'string' || NO_IMAGES.includes(other)) {
      throw new OptionError(where, `with[${at}]`, 'the name of an image', other);
    }
    if (other === name) throw new OptionError(where, `with[${at}]`, 'another image than the step makes', other);
    if (others.indexOf(other) !== at) throw new OptionError(where, `with[${at}]`, 'named once', other);
  }
}

/** A copy of options that go into records and to other threads: what JSON cannot say would get lost on the way. */
function jsonOf(where: string, given: unknown): unknown {
  if (given === undefined) return undefined;
  if (isJson(given)) return structuredClone(given);
  const problem = `options must be what JSON can say, got ${inspect(given, { breakLength: Number.POSITIVE_INFINITY })}`;
  throw new OptionError(where, 'options', 'what JSON can say', given, problem);
}

function isJson(value: unknown, within: readonly unknown[] = []): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || within.includes(value)) return false;
  const isPlain = Array.isArray(value) || [Object.prototype, null].includes(Object.getPrototypeOf(value));
  return isPlain && Object.values(value).every((one) => isJson(one, [...within, value]));
}
