import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { SourceError } from '../../core/errors.js';
import { OpenFiles } from '../../sources/openFiles.js';
import { tempFolder } from '../support/temp.js';

test('never more files than the limit are open, everybody gets a turn, and all are closed in the end', async (t) => {
  const folder = await tempFolder(t);
  const paths = Array.from({ length: 12 }, (_, i) => join(folder, `${i}`));
  for (const path of paths) await writeFile(path, path);
  const reached = { atLimit: 0, missing: 0, again: 0 };
  const use = fc.record({ file: fc.nat(13), turns: fc.nat(4), wait: fc.nat(2) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(use, { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 4 }),
      async (uses, limit) => {
        const files = new OpenFiles(limit, 1);
        const seen = new Set<number>();
        const turn = () => new Promise((resolve) => setImmediate(resolve));
        await Promise.all(
          uses.map(async ({ file, turns, wait }) => {
            for (let i = 0; i < wait * 3; i++) await turn();
            const path = paths[file];
            if (path === undefined) {
              await t.throwsAsync(
                files.use(join(folder, 'none'), async () => {}),
                { instanceOf: SourceError },
              );
              reached.missing++;
              return;
            }
            if (seen.has(file)) reached.again++;
            seen.add(file);
            await files.use(path, async () => {
              if (files.openCount === limit) reached.atLimit++;
              t.true(files.openCount <= limit);
              for (let i = 0; i < turns; i++) await turn();
            });
          }),
        );
        for (let waited = 0; files.openCount > 0 && waited < 5000; waited++)
          await new Promise((done) => setTimeout(done, 1));
        t.is(files.openCount, 0);
      },
    ),
    { numRuns: 60 },
  );
  for (const [what, times] of Object.entries(reached)) t.true(times > 0, `no drawn case was ${what}`);
});
