import { StepError } from './errors.js';
import { unlessAborted } from './unlessAborted.js';

/**
 * The values that a user's function gives for so many cells, checked.
 *
 * @throws {StepError} if it throws, or gives anything else; rejects with the signal's reason when aborted, and drops what still comes
 */
export async function measured(
  step: string,
  call: (signal: AbortSignal) => Float64Array | Promise<Float64Array>,
  count: number,
  signal: AbortSignal,
): Promise<Float64Array> {
  signal.throwIfAborted();
  let values: unknown;
  try {
    values = await unlessAborted(call(signal), signal);
  } catch (cause) {
    signal.throwIfAborted();
    throw new StepError(step, String(cause), { cause });
  }
  if (values instanceof Float64Array && values.length === count) return values;
  const got =
    ArrayBuffer.isView(values) && 'length' in values ? `${values.constructor.name} of ${values.length}` : values;
  throw new StepError(step, `expected a Float64Array of ${count} values, got ${String(got)}`);
}
