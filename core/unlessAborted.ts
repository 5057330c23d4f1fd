import { onAbort } from '../native/onAbort.js';

/** Lets go of work that goes on though nobody wants it any more: rejects with the signal's reason, and drops what it gives then. */
export function unlessAborted<T>(work: T | Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const forget = onAbort(signal, () => reject(signal.reason));
    Promise.resolve(work).then(resolve, reject).finally(forget);
  });
}
