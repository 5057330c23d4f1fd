import type { Row } from './contenders.js';

/** What every section is asked. */
export interface Options {
  /** Rounds, in each of which every contender has a turn. */
  readonly repeats: number;
  /** Smaller volumes, for a look. */
  readonly quick: boolean;
  /** Whether Python's libraries are measured as well. */
  readonly baseline: boolean;
  /** Native threads that runs are measured with. */
  readonly threads: readonly number[];
  /** The CPU target of kernels and chains. */
  readonly target: string;
}

/** A table of the benchmark. */
export interface Section {
  readonly title: string;
  readonly rows: readonly Row[];
}

export function threadsText(threads: number): string {
  return `${threads} ${threads === 1 ? 'thread' : 'threads'}`;
}
