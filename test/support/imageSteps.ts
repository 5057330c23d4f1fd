/** The operators that make images, asked for as the tests know them: by the names of their entries in the parameters. */

import type { FixedImage, Step } from '../../index.js';
import * as somaflow from '../../index.js';
import type { ImageSteps } from './naiveImages.js';

type ImageStep = Step<'source', FixedImage>;
const NAMES = ['correctIllumination', 'removeBackground', 'equalize', 'dog'] as const satisfies (keyof ImageSteps)[];

/** The steps of a chain that make images, in the chain's order. */
export function imageStepsOf(asked: ImageSteps): ImageStep[] {
  return NAMES.flatMap((name) => (asked[name] ? [imageStep(name, asked[name])] : []));
}

/** An operator with drawn options, which are of the form that it checks when called, not of a type that it is known to take. */
export function imageStep(name: (typeof NAMES)[number], options: object): ImageStep {
  const operator = (somaflow as unknown as Readonly<Record<string, (options: object) => ImageStep>>)[name];
  if (!operator) throw new Error(`${name}: there is no such operator`);
  return operator(options);
}
