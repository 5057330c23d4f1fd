import { constants } from 'node:os';

/** What is left to do before the process may end; it ends without waiting for longer than this. */
const PATIENCE_MS = 600;

/**
 * From now on Ctrl-C and SIGTERM run `cleanUp` and then end the process with 128 + the signal's number; a second one ends
 * it at once. Returns the function that takes this back.
 */
export function onInterrupt(cleanUp: () => Promise<void>): () => void {
  let ending = false;
  const end = async (signal: NodeJS.Signals) => {
    const code = 128 + constants.signals[signal];
    if (ending) process.exit(code);
    ending = true;
    setTimeout(() => process.exit(code), PATIENCE_MS);
    // Whatever goes wrong while giving up, the user asked for the end, not for a report.
    await cleanUp().catch(() => undefined);
    process.exit(code);
  };
  process.on('SIGINT', end).on('SIGTERM', end);
  return () => process.off('SIGINT', end).off('SIGTERM', end);
}
