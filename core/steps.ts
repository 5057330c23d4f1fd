import type { Result, Step } from './block.js';
import { OptionError } from './errors.js';
import { asStep } from './step.js';

/** A step, whatever it needs and adds. */
export type AnyStep = Step<never, Result> | Step<Result, Result>;

/** What a sequence of steps needs from outside, and what it adds: each step's needs, less what came before it. */
type Composed<Steps, Need extends Result = never, Add extends Result = never> = Steps extends readonly [
  Step<infer FirstNeed, infer FirstAdd>,
  ...infer Rest,
]
  ? Composed<Rest, Need | Exclude<FirstNeed, Add>, Add | FirstAdd>
  : Step<Need, Add>;

/** The greatest number of steps that one composition takes. */
export const MOST_STEPS = 16;

/**
 * Composes steps into one, with their types kept: what it needs and what it adds.
 *
 * @throws {OptionError} if there are none, or more than 16
 * @example blocks(volume).pipe(steps(removeBackground(), maxima(), shape()), cells())
 */
export function steps<const Steps extends readonly AnyStep[]>(...all: Steps): Composed<Steps> {
  if (all.length < 1 || all.length > MOST_STEPS) {
    throw new OptionError('steps', 'the number of steps', `in 1..${MOST_STEPS}`, all.length);
  }
  return asStep(all.flatMap((one) => one.plans)) as Composed<Steps>;
}
