import type { Block, Result, StepPlan } from './block.js';
import { OptionError } from './errors.js';

/** The name of what a pipeline without branches gives. */
export const TRUNK = '';

/** The steps of each branch, first to last: those before the branching, its own, and those after it. */
export function branchesOf(plans: readonly StepPlan[]): ReadonlyMap<string, readonly StepPlan[]> {
  const at = plans.findIndex((plan) => plan.branches);
  const branches = plans[at]?.branches;
  if (!branches) return new Map([[TRUNK, plans]]);
  const [before, after] = [plans.slice(0, at), plans.slice(at + 1)];
  return new Map(Object.entries(branches).map(([name, own]) => [name, [...before, ...own, ...after]]));
}

/** The steps before the branching. */
export function trunkOf(plans: readonly StepPlan[]): readonly StepPlan[] {
  const at = plans.findIndex((plan) => plan.branches);
  return at < 0 ? plans : plans.slice(0, at);
}

/**
 * Checks that a step can come next, in every branch. The compiler refuses a wrong order already; this is for those without one.
 *
 * @throws {OptionError} if a result that it needs is missing, or one that it makes is there
 */
export function checkNext(block: Block<Result>, plan: StepPlan): void {
  if (plan.branches && block.plans.some(({ branches }) => branches)) refuse(plan, 'the only branching', 'a second');
  for (const before of branchesOf(block.plans).values()) {
    const has = new Set<string>(['source', ...Object.keys(block.also), ...before.flatMap(({ adds }) => adds)]);
    for (const own of Object.values(plan.branches ?? { [TRUNK]: [plan] })) {
      const inBranch = new Set(has);
      for (const step of own) {
        checkOne(step, inBranch);
        for (const result of step.adds) inBranch.add(result);
      }
    }
  }
}

function checkOne(plan: StepPlan, has: ReadonlySet<string>): void {
  for (const need of plan.needs) {
    if (!has.has(need)) refuse(plan, `after a step that makes '${need}'`, `after ${[...has].join(', ')}`);
  }
  for (const result of plan.adds) {
    if (has.has(result)) refuse(plan, `the only one that makes '${result}'`, 'a second');
  }
}

function refuse(plan: StepPlan, expected: string, got: string): never {
  throw new OptionError(plan.name, 'its place in the pipeline', expected, got);
}
