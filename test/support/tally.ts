/** Counts what a property reached, so that it can fail for what it never did. */
export interface Tally {
  /** Counts what is so. */
  readonly seen: (what: string, is?: boolean) => void;
  readonly missing: (wanted: readonly string[]) => string[];
}

export function tally(): Tally {
  const counts = new Map<string, number>();
  return {
    seen: (what, is = true) => {
      if (is) counts.set(what, (counts.get(what) ?? 0) + 1);
    },
    missing: (wanted) => wanted.filter((what) => !counts.has(what)),
  };
}
