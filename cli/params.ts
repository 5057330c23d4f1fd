import { readFile } from 'node:fs/promises';
import { OptionError, SourceError } from '../core/errors.js';
import { describeSystemError } from '../core/systemError.js';
import { chainOf, completed, defaultParameters, type WholeParameters } from '../detection/parameters.js';

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
  const parameters = completed(given as WholeParameters);
  checkValues(parameters, path);
  return parameters;
}

function parsed(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SourceError(path, `is no JSON: ${(cause as Error).message}`, { cause });
  }
}

/** Lets the operators look at their options, and says of what they refuse where it came from. */
function checkValues(parameters: WholeParameters, path: string): void {
  try {
    chainOf(parameters);
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    throw new OptionError(path, error.option, error.expected, error.got, error.message.replace(/^detectCells: /, ''));
  }
}
