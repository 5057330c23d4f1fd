import test from 'ava';
import fc from 'fast-check';
import { Lanes } from '../core/lanes.js';

test('jobs of the least rank start first, those of equal rank as they came, on no more threads than there are', async (t) => {
  const reached = { overtakes: 0, equals: 0, wide: 0 };
  const jobs = fc.array(fc.record({ rank: fc.nat(3), most: fc.integer({ min: 1, max: 4 }) }), {
    minLength: 2,
    maxLength: 12,
  });
  await fc.assert(
    fc.asyncProperty(jobs, fc.integer({ min: 1, max: 4 }), async (drawn, count) => {
      const lanes = new Lanes(count);
      const [ends, starts]: [(() => void)[], number[]] = [[], []];
      let busy = 0;
      const run = (job: number, rank: number, most: number) =>
        lanes.ranked(rank).run(
          () => most,
          async (taken) => {
            starts.push(job);
            busy += taken;
            t.true(taken >= 1 && taken <= most && busy <= count);
            if (taken > 1) reached.wide++;
            await new Promise<void>((resolve) => ends.push(resolve));
            busy -= taken;
          },
        );
      // All threads are taken until all jobs have come.
      const first = run(-1, 0, count);
      await Promise.resolve();
      const others = drawn.map(({ rank, most }, job) => run(job, rank, most));
      for (let ended = 0; ended <= drawn.length; ended++) {
        while (ends.length <= ended) await new Promise(setImmediate);
        ends[ended]?.();
        await new Promise(setImmediate);
      }
      await Promise.all([first, ...others]);
      const ranks = starts.slice(1).map((job) => drawn[job]?.rank as number);
      t.deepEqual(ranks, ranks.toSorted(), 'a job of a higher rank started before one of a lower rank');
      for (const [at, job] of starts.slice(1).entries()) {
        const next = starts[at + 2];
        if (next === undefined) continue;
        if (ranks[at] === ranks[at + 1]) {
          t.true(job < next);
          reached.equals++;
        } else if (job > next) reached.overtakes++;
      }
    }),
    { numRuns: 100 },
  );
  t.log(reached);
  for (const [what, times] of Object.entries(reached)) t.true(times > 20, what);
});
