/** How many native threads a run may keep busy: jobs take some of them, first come first served, and give them back. */
export class Lanes {
  private free: number;
  private readonly waiting: { readonly most: () => number; readonly start: (lanes: number) => void }[] = [];

  constructor(readonly count: number) {
    this.free = count;
  }

  /** Waits for a thread and takes up to `most()` of those free then. */
  take(most: () => number): Promise<number> {
    return new Promise((start) => {
      this.waiting.push({ most, start });
      this.serve();
    });
  }

  give(lanes: number): void {
    this.free += lanes;
    this.serve();
  }

  /** Runs a job on up to `most()` threads. */
  async run<T>(most: () => number, job: (lanes: number) => Promise<T>): Promise<T> {
    const lanes = await this.take(most);
    try {
      return await job(lanes);
    } finally {
      this.give(lanes);
    }
  }

  private serve(): void {
    while (this.free > 0) {
      const next = this.waiting.shift();
      if (!next) return;
      const lanes = Math.max(1, Math.min(this.free, next.most()));
      this.free -= lanes;
      next.start(lanes);
    }
  }
}
