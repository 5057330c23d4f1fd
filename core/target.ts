import { availableParallelism } from 'node:os';
import { addon } from '../native/index.js';
import { OptionError } from './errors.js';

/** The instruction sets that kernels are compiled for; all give the same bits. */
export type Target = 'portable' | 'avx2' | 'avx512';

/**
 * The targets that this machine runs, the fastest last.
 *
 * @example blocks(volume).pipe(maxima(), cells({ target: supportedTargets()[0] ?? 'portable' }))
 */
export function supportedTargets(): Target[] {
  return addon.supportedTargets() as Target[];
}

/** The target asked for, else that of `SOMAFLOW_TARGET`, else the fastest. */
export function chooseTarget(where: string, asked?: Target): Target {
  const supported = supportedTargets();
  const named = asked ?? (process.env.SOMAFLOW_TARGET || undefined);
  if (named === undefined) return supported.at(-1) as Target;
  const target = supported.find((one) => one === named);
  if (target) return target;
  throw new OptionError(
    where,
    asked ? 'target' : 'SOMAFLOW_TARGET',
    `one of ${supported.join(', ')} on this CPU`,
    named,
  );
}

/** The number of native threads asked for, else the machine's cores. */
export function chooseThreads(where: string, asked = availableParallelism()): number {
  if (!Number.isInteger(asked) || asked < 1 || asked > 256) {
    throw new OptionError(where, 'threads', 'an integer in 1..256', asked);
  }
  return asked;
}
