/** The operators that make images, asked for as the tests know them: by the names of their entries in the parameters. */
import type { FixedImage, Step } from '../../index.js';
import * as somaflow from '../../index.js';
import type { ImageName, ImageSteps } from './naiveImages.js';
import { weigh } from './userFunctions.js';

declare module '../../core/block.js' {
  interface Results {
    readonly smooth: 'voxels';
  }
}

type ImageStep = Step<'source', ImageName>;
const NAMES = ['correctIllumination', 'removeBackground', 'equalize', 'dog'] as const satisfies (keyof ImageSteps)[];
/** The steps that make the fixed images. */
const MAKES = {
  correctIllumination: 'illumination',
  removeBackground: 'background',
  equalize: 'equalized',
  dog: 'dog',
} as const;

/** The steps of a chain that make images, in the chain's order. */
export function imageStepsOf(asked: ImageSteps): ImageStep[] {
  const { smooth } = asked;
  const own = (behind: FixedImage): ImageStep[] =>
    smooth?.behind === behind
      ? [somaflow.step('smooth', { halo: smooth.halo, dtype: smooth.dtype, run: weigh, options: weighingOf(smooth) })]
      : [];
  const fixed = NAMES.flatMap((name) => [...(asked[name] ? [imageStep(name, asked[name])] : []), ...own(MAKES[name])]);
  return [...own('source'), ...fixed];
}

function weighingOf({ halo, dtype }: NonNullable<ImageSteps['smooth']>) {
  return { halo, dtype };
}

/** An operator with drawn options, which are of the form that it checks when called, not of a type that it is known to take. */
export function imageStep(name: (typeof NAMES)[number], options: object): ImageStep {
  const operator = (somaflow as unknown as Readonly<Record<string, (options: object) => ImageStep>>)[name];
  if (!operator) throw new Error(`${name}: there is no such operator`);
  return operator(options);
}
