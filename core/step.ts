import { map, type Observable } from 'rxjs';
import type { Block, Result, Step, StepPlan } from './block.js';
import { checkNext } from './branches.js';

/** Turns the plan of a step that makes one result into an operator. It only adds to the description: nothing runs, nothing is held. */
export function makes<Need extends Result, Add extends Result>(
  adds: Add,
  needs: readonly Need[],
  plan: Omit<StepPlan, 'adds' | 'needs'>,
): Step<Need, Add> {
  return asStep<Need, Add>([{ ...plan, adds: [adds], needs }]);
}

/** An operator that adds these plans, in order, to every block. */
export function asStep<Need extends Result, Add extends Result>(plans: readonly StepPlan[]): Step<Need, Add> {
  const operator = <Has extends Result>(blocks: Observable<Block<Has>>) =>
    blocks.pipe(map((block) => plans.reduce(withPlan, block as Block<Result>) as Block<Has | Add>));
  return Object.assign(operator, { plans }) as Step<Need, Add>;
}

function withPlan(block: Block<Result>, plan: StepPlan): Block<Result> {
  checkNext(block, plan);
  return block.with(plan);
}
