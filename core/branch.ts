import type { Result, Step, StepPlan } from './block.js';
import { OptionError } from './errors.js';
import { addHalos, greaterHalo, noHalo } from './geometry.js';
import { asStep } from './step.js';
import type { AnyStep } from './steps.js';

type NeedOf<S> = S extends Step<infer Need, infer _> ? Need : never;
type AddOf<S> = S extends Step<infer _, infer Add> ? Add : never;

/** What every branch adds, and so each table has. */
type InAll<Branches> = {
  [R in Result]: {
    [Name in keyof Branches]: R extends AddOf<Branches[Name]> ? never : Name;
  }[keyof Branches] extends never
    ? R
    : never;
}[Result];

/** Branches of one pipeline at most. */
const MOST_BRANCHES = 16;

/**
 * Divides a pipeline: what comes before is done once, and each branch gives a table of its own.
 *
 * Steps that come after the branching belong to every branch. Each batch of cells names its branch, and each branch has a last
 * batch; `write` takes a sink for each.
 *
 * @needs what any of the branches needs
 * @adds what all of them add
 * @throws {OptionError} at once, if there is no branch or more than 16, a name is not of letters, digits, `_` and `-`, or a branch
 * divides again
 * @example blocks(volume).pipe(removeBackground(), branch({ low: steps(maxima(), shape({ threshold: 300 })),
 *   high: steps(maxima(), shape({ threshold: 900 })) }), cells(), write({ low: csv('low.csv'), high: csv('high.csv') }))
 */
export function branch<const Branches extends Readonly<Record<string, AnyStep>>>(
  branches: Branches,
): Step<NeedOf<Branches[keyof Branches]>, InAll<Branches>> {
  const entries = Object.entries(branches).map(([name, { plans }]) => [name, plans] as const);
  if (entries.length < 1 || entries.length > MOST_BRANCHES) {
    throw new OptionError('branch', 'the number of branches', `in 1..${MOST_BRANCHES}`, entries.length);
  }
  for (const [name, plans] of entries) {
    if (!/^[A-Za-z0-9_][\w-]*$/.test(name)) {
      throw new OptionError('branch', 'a name', "of letters, digits, '_' and '-'", name);
    }
    if (plans.some((plan) => plan.branches))
      throw new OptionError('branch', name, 'steps without branches', 'a branch');
  }
  const added = (plans: readonly StepPlan[]) => new Set(plans.flatMap(({ adds }) => adds));
  const [first = new Set<Result>(), ...others] = entries.map(([, plans]) => added(plans));
  const plan: StepPlan = {
    name: 'branch',
    options: Object.fromEntries(entries.map(([name, plans]) => [name, plans.map((one) => one.name)])),
    adds: [...first].filter((result) => others.every((results) => results.has(result))),
    needs: [],
    halo: entries
      .map(([, plans]) => plans.reduce((sum, one) => addHalos(sum, one.halo), noHalo))
      .reduce(greaterHalo, noHalo),
    branches: Object.fromEntries(entries),
  };
  return asStep([plan]);
}
