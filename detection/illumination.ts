import type { CorrectIlluminationOptions } from '../operators/correctIllumination.js';
import { readFlatfield } from '../sources/readFlatfield.js';

type Field = CorrectIlluminationOptions['flatfield'];

/** The options of `correctIllumination`, whose fields may also be the paths of .npy files of two axes [y, x]. */
export interface DetectionIllumination extends Pick<CorrectIlluminationOptions, 'scaling'> {
  readonly flatfield: Field | string;
  readonly background?: Field | string | null;
}

/**
 * The options with the files read.
 *
 * @throws {SourceError} what `readFlatfield` raises
 */
export async function illuminationOptions(entry: DetectionIllumination): Promise<CorrectIlluminationOptions> {
  const read = async <T>(field: T | string) => (typeof field === 'string' ? readFlatfield(field) : field);
  const { flatfield, background, ...others } = entry;
  const [flat, dark] = await Promise.all([read(flatfield), read(background)]);
  return { ...others, flatfield: flat, ...(dark === undefined ? {} : { background: dark }) };
}
