/** What is under way in this process: runs, and reads or native jobs that outlive the run that asked for them. */
const underWay = new Set<Promise<unknown>>();

/** Counts work as under way until it settles. */
export function track<T>(work: Promise<T>): Promise<T> {
  const settled = work.then(
    () => {},
    () => {},
  );
  underWay.add(settled);
  settled.then(() => underWay.delete(settled));
  return work;
}

/**
 * Resolves when nothing runs any more: no native job, no read, and every buffer is back in its budget.
 *
 * After unsubscribing that takes as long as native work needs to notice it, or a source to finish what it was decoding.
 *
 * @example
 * found.subscribe().unsubscribe();
 * await idle();
 */
export async function idle(): Promise<void> {
  while (underWay.size > 0) await Promise.all(underWay);
}
