import { constants } from 'node:os';
import { SourceError } from '../core/errors.js';
import { onAbort } from '../native/onAbort.js';

/** What passes by itself, on network file systems above all: a bad moment of the line or the disk, a handle that is stale. */
const { EIO, EAGAIN, ESTALE } = constants.errno;
const transient: ReadonlySet<number | undefined> = new Set([EIO, EAGAIN, ESTALE]);

/** Before the second, third and fourth try. */
const WAITS_MS = [50, 200, 800] as const;

/**
 * Calls `work` again, after a moment, when a transient error of the system made it fail: four times in all. What it does
 * must be harmless when done twice.
 *
 * Rejects with the signal's reason once that is aborted, also between tries, and after the last try with the error that
 * it met, which then says how often it was tried.
 */
export async function retrying<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      if (!isTransient(error)) throw error;
      const waitMs = WAITS_MS[tries - 1];
      if (waitMs === undefined) throw triedOften(error, tries);
      await pause(waitMs, signal);
    }
  }
}

/** Whether an error, or the one that caused it, is one of the system that may pass. */
export function isTransient(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { errno } = cause as NodeJS.ErrnoException;
    if (errno !== undefined && transient.has(-errno)) return true;
  }
  return false;
}

function triedOften(error: unknown, tries: number): unknown {
  if (!(error instanceof SourceError)) return error;
  return new SourceError(error.source, `${error.problem}, after ${tries} tries`, { cause: error.cause });
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      forget?.();
      resolve();
    }, ms);
    const forget =
      signal &&
      onAbort(signal, () => {
        clearTimeout(timer);
        reject(signal.reason);
      });
  });
}
