/** How long the JavaScript thread works at a stretch. Timers tell it badly: on a busy machine they are late without that. */
import { existsSync, readFileSync } from 'node:fs';

const STATISTICS = '/proc/thread-self/schedstat';

/** Whether the system tells what a thread has run. */
export const isTold = existsSync(STATISTICS);

/** Milliseconds that this thread has had a processor. */
function ranMs(): number {
  return Number(readFileSync(STATISTICS, 'utf8').split(' ')[0]) / 1e6;
}

/** The most milliseconds that this thread runs between two turns of its timers, while something goes on. */
export async function longestStretchMs(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let before = ranMs();
  const timer = setInterval(() => {
    const now = ranMs();
    longest = Math.max(longest, now - before);
    before = now;
  }, 1);
  try {
    await work();
    await new Promise((resolve) => setTimeout(resolve, 5));
  } finally {
    clearInterval(timer);
  }
  return longest;
}
