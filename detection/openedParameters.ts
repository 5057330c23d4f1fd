import { tissueMask } from '../sources/tissueMask.js';
import { illuminationOptions } from './illumination.js';
import type { IlluminationEntry, OpenedParameters, WholeParameters } from './parameters.js';

/**
 * Reads the fields and opens the masks that parameters name by paths.
 *
 * @throws {SourceError} if a file cannot be read, or holds something else
 */
export async function openedParameters(parameters: WholeParameters): Promise<OpenedParameters> {
  const { correctIllumination: light, equalize, ...others } = parameters;
  return {
    ...others,
    correctIllumination: light && (await withFields(light)),
    equalize: equalize && (await withMask(equalize)),
  };
}

async function withFields({ save, ...entry }: IlluminationEntry) {
  return { ...(await illuminationOptions(entry)), ...(save !== undefined && { save }) };
}

async function withMask({ mask, ...others }: NonNullable<WholeParameters['equalize']>) {
  if (mask === undefined) return others;
  return { ...others, mask: typeof mask === 'string' ? await tissueMask(mask) : mask };
}
