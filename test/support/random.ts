import type { Parameters } from 'fast-check';

/** A small generator of pseudo-random numbers in [0, 1): a drawn case is rebuilt from its seed alone (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The same items in an order that depends on the seed alone. */
export function shuffled<T>(items: readonly T[], seed: number): T[] {
  const next = random(seed);
  const out = [...items];
  for (let at = out.length - 1; at > 0; at--) {
    const other = Math.floor(next() * (at + 1));
    [out[at], out[other]] = [out[other] as T, out[at] as T];
  }
  return out;
}

/**
 * Runs of a property: as many as asked, times `SOMAFLOW_RUNS` for a long hunt; `SOMAFLOW_SEED` repeats one. Shrinking a
 * case that locks up takes its time limit at every step, so it ends after some minutes with what it has.
 */
export function runs(
  count: number,
): Pick<Parameters<unknown>, 'numRuns' | 'seed' | 'skipAllAfterTimeLimit' | 'includeErrorInReport'> {
  const { SOMAFLOW_RUNS, SOMAFLOW_SEED } = process.env;
  const times = Number(SOMAFLOW_RUNS ?? 1);
  return {
    numRuns: Math.max(1, Math.round(count * times)),
    // ava does not print the cause of an error, and the cause is what is wanted.
    includeErrorInReport: true,
    skipAllAfterTimeLimit: 240_000 * Math.max(1, times),
    ...(SOMAFLOW_SEED === undefined ? {} : { seed: Number(SOMAFLOW_SEED) }),
  };
}
