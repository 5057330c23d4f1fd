/** What `parameters` and `processing` may hold; loaded only where there is something to check, since zod takes its time. */
import { z } from 'zod';
import { FIXED_IMAGES } from '../core/block.js';
import { OptionError } from '../core/errors.js';
import { AXES } from '../core/geometry.js';
import { didYouMean, oneOf } from '../core/options.js';

/*
 * The schema knows structure: which keys there are, and what may be null. Whether a value is in range is known
 * to the operators alone. An error's text is what was expected; `raise` puts it after "must be".
 */

/** A value that the operator checks; when it is called, which is before anything is read. */
const left = z.unknown().optional();

/** An object of these keys; any other is named, with the nearest of them. */
function keyed<Shape extends z.core.$ZodLooseShape>(shape: Shape, orElse = '') {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `has no '${issue.keys?.[0]}', ${didYouMean(String(issue.keys?.[0]), known)}`
        : `an object of ${known.join(', ')}${orElse}`,
  });
}

/** The entry of a step that may be skipped. */
const entry = <Shape extends z.core.$ZodLooseShape>(shape: Shape) => keyed(shape, ', or null').nullable().optional();

const place = z.number({ error: 'a number' });
const position = keyed({ z: place, y: place, x: place });

const file = z.custom<unknown>((given) => typeof given === 'string' || isObject(given), { error: 'a path or a sink' });
const saved = { save: file.optional() };
const images = z.array(z.enum(FIXED_IMAGES, { error: oneOf(FIXED_IMAGES) }), { error: 'a list of images' });

const parametersSchema = keyed({
  correctIllumination: entry({ flatfield: left, background: left, scaling: left, ...saved }),
  removeBackground: entry({ size: left, form: left, opening: left, ...saved }),
  equalize: entry({
    ...{ percentile: left, maxValue: left, window: left, spacing: left, interpolate: left },
    mask: z
      .custom<unknown>((given) => typeof given === 'string' || isObject(given), { error: 'a path or a volume' })
      .optional(),
    ...saved,
  }),
  dog: entry({ size: left, sigma: left, sigma2: left, ...saved }),
  maxima: keyed({ size: left, threshold: left, plateaus: left, hMax: left, reach: left, ...saved })
    .nullable()
    .refine((given) => given !== null, { error: 'given, since cells are around maxima' })
    .optional(),
  shape: entry({ threshold: left, ...saved }),
  intensity: entry({ method: left, measure: images.optional(), radius: left }),
  filterCells: z.custom<object>(isObject, { error: 'an object with a range a column' }).nullable().optional(),
  columns: left,
});

const processingSchema = keyed({
  size: left,
  axes: z.array(z.enum(AXES, { error: oneOf(AXES) }), { error: 'a list of axes' }).optional(),
  sizeMax: left,
  sizeMin: left,
  overlap: left,
  region: keyed({ start: position, stop: position }).optional(),
  mask: z
    .custom<unknown>((given) => typeof given === 'string' || isObject(given), { error: 'a path or a volume' })
    .optional(),
  threads: left,
  memory: left,
  progress: z.custom<object>(isObject, { error: 'an object with next()' }).optional(),
  signal: z.instanceof(AbortSignal, { error: 'an AbortSignal' }).optional(),
});

/**
 * Checks the structure of parameters. `where` is what has them: a function or a file.
 *
 * @throws {OptionError} that names the key
 */
export function checkParameters(given: unknown, where: string): void {
  check(parametersSchema, given, where, 'parameters');
}

/**
 * Checks the structure of the other options of `detectCells`.
 *
 * @throws {OptionError} that names the key
 */
export function checkProcessing(given: unknown, where: string): void {
  check(processingSchema, given, where, 'processing');
}

function check(schema: z.ZodType, given: unknown, where: string, name: string): void {
  const issue = schema.safeParse(given).error?.issues[0];
  if (!issue) return;
  const option = issue.path.reduce<string>(
    (path, key) => (typeof key === 'number' ? `${path}[${key}]` : `${path}.${String(key)}`),
    name,
  );
  const got = issue.path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown>)[key], given);
  const problem = issue.code === 'unrecognized_keys' ? `${option} ${issue.message}` : undefined;
  throw new OptionError(where, option, issue.message, got, problem);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
