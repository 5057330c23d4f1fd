import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until something is so; fails after a time in which it should long have been. */
export async function until(what: string, is: () => boolean, mostMs = 20_000): Promise<void> {
  const end = Date.now() + mostMs;
  while (!is()) {
    if (Date.now() > end) throw new Error(`waited ${mostMs} ms in vain: ${what}`);
    await sleep(2);
  }
}

/** Waits until a number has stopped changing for so long, and gives it. */
export async function settled(value: () => number, quietMs: number): Promise<number> {
  let last = value();
  let since = Date.now();
  while (Date.now() - since < quietMs) {
    await sleep(5);
    if (value() !== last) {
      last = value();
      since = Date.now();
    }
  }
  return last;
}

/** Fails when a promise takes longer than it may: a lock-up shows as an error with a name, not as a silent test. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  const stop = new AbortController();
  const late = sleep(ms, undefined, { signal: stop.signal }).then(() => {
    throw new Error(`${what} took more than ${ms} ms`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    stop.abort();
    late.catch(() => {});
  }
}
