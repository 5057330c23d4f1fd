import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { OptionError, SourceError } from '../core/errors.js';
import { describeSystemError } from '../core/systemError.js';
import { openedParameters } from '../detection/openedParameters.js';
import {
  chainOf,
  completed,
  type DetectionParameters,
  defaultParameters,
  type WholeParameters,
} from '../detection/parameters.js';

/**
 * The parameters that a JSON file holds, or the default ones where none is named.
 *
 * @throws {SourceError} if the file cannot be read or is no JSON
 * @throws {OptionError} that names the file and the key
 */
export async function readParameters(path: string | undefined): Promise<WholeParameters> {
  if (path === undefined) return defaultParameters;
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new SourceError(path, `cannot be read: ${describeSystemError(cause)}`, { cause });
  });
  const given = parsed(path, text);
  const { checkParameters } = await import('../detection/schema.js');
  checkParameters(given, path);
  const parameters = completed(resolved(given as DetectionParameters, dirname(path)));
  await checkValues(parameters, path);
  return parameters;
}

/** The options that name files, which are relative to the file of parameters. */
const FILES = ['save', 'flatfield', 'background', 'mask'];

function resolved(parameters: DetectionParameters, folder: string): DetectionParameters {
  const within = ([key, value]: [string, unknown]) => [
    key,
    FILES.includes(key) && typeof value === 'string' ? resolve(folder, value) : value,
  ];
  const entry = (value: object | null) =>
    value && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).map(within)) : value;
  return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, entry(value)]));
}

function parsed(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SourceError(path, `is no JSON: ${(cause as Error).message}`, { cause });
  }
}

/** Lets the operators look at their options, and says of what they refuse where it came from. */
async function checkValues(parameters: WholeParameters, path: string): Promise<void> {
  try {
    chainOf(await openedParameters(parameters));
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    throw new OptionError(path, error.option, error.expected, error.got, error.message.replace(/^detectCells: /, ''));
  }
}
