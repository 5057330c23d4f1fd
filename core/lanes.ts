/** A job that waits for a thread. */
interface Waiting {
  readonly rank: number;
  readonly most: () => number;
  readonly start: (lanes: number) => void;
}

/** The threads that those who share them may keep busy, and who waits for one. */
interface Shared {
  free: number;
  readonly waiting: Waiting[];
}

/**
 * How many native threads a run may keep busy: jobs take some of them and give them back. Of those that wait the least rank comes
 * first, and of equal ranks the one that came first.
 */
export class Lanes {
  private readonly shared: Shared;

  constructor(
    threads: number | Shared,
    private readonly rank = 0,
  ) {
    this.shared = typeof threads === 'number' ? { free: threads, waiting: [] } : threads;
  }

  /** The same threads for jobs of another rank. */
  ranked(rank: number): Lanes {
    return new Lanes(this.shared, rank);
  }

  /** Runs a job on up to `most()` of the threads that are free when it starts. */
  async run<T>(most: () => number, job: (lanes: number) => Promise<T>): Promise<T> {
    const lanes = await this.take(most);
    try {
      return await job(lanes);
    } finally {
      this.shared.free += lanes;
      this.serve();
    }
  }

  private take(most: () => number): Promise<number> {
    return new Promise((start) => {
      const { waiting } = this.shared;
      const behind = waiting.findIndex(({ rank }) => rank > this.rank);
      waiting.splice(behind < 0 ? waiting.length : behind, 0, { rank: this.rank, most, start });
      this.serve();
    });
  }

  private serve(): void {
    const { shared } = this;
    while (shared.free > 0) {
      const next = shared.waiting.shift();
      if (!next) return;
      const lanes = Math.max(1, Math.min(shared.free, next.most()));
      shared.free -= lanes;
      next.start(lanes);
    }
  }
}
