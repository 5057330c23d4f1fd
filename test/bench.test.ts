import { readFile } from 'node:fs/promises';
import test from 'ava';
import { type Contender, takeTurns } from '../bench/contenders.js';
import { keep, type Results } from '../bench/report.js';
import { tempFolder } from './support/temp.js';

/** A contender whose turns give these speeds, one after another, and say so in `order`. */
function contender(name: string, speeds: readonly number[], order: string[] = []): Contender {
  let turn = 0;
  const run = async () => {
    order.push(name);
    const mvoxelPerSecond = speeds[turn++] as number;
    return [{ row: name, mvoxelPerSecond, notes: { cells: 10 * mvoxelPerSecond } }];
  };
  return { name, run };
}

test('contenders take turns, and a slow one has as many as it is given', async (t) => {
  const order: string[] = [];
  const contenders = [contender('a', [1, 2, 3], order), { ...contender('slow', [1, 2], order), turns: 2 }];
  const rows = await takeTurns(contenders, 3, () => ({}));
  t.deepEqual(order, ['a', 'slow', 'a', 'slow', 'a']);
  t.deepEqual(
    rows.map(({ name, samples }) => [name, samples]),
    [
      ['a', [1, 2, 3]],
      ['slow', [1, 2]],
    ],
  );
});

test('a row has the median and spread of its samples, and ratios of medians to rows that there are', async (t) => {
  const contenders = [contender('fast', [30, 10, 80, 20]), contender('reference', [5, 1, 9, 5])];
  const beside = (row: string) => (row === 'fast' ? { library: 'reference', other: 'not measured' } : {});
  const [fast, reference] = await takeTurns(contenders, 4, beside);
  t.deepEqual(fast, {
    name: 'fast',
    samples: [30, 10, 80, 20],
    median: 25,
    from: 10,
    to: 80,
    ratios: { library: 5 },
    notes: { cells: 250 },
  });
  t.deepEqual(reference?.ratios, {});
});

test("the day's file keeps sections of the same commit that were not run again, and none of another", async (t) => {
  const folder = await tempFolder(t);
  const section = (title: string) => ({ title, rows: [] });
  const run = (commit: string, sections: Results['sections']): Results => ({
    date: '2026-11-25',
    commit,
    cpu: 'one',
    cores: 2,
    memoryBytes: 25_769_803_777,
    target: 'portable',
    node: 'v20',
    threads: [1, 2],
    repeats: 3,
    sections,
  });
  await keep(run('a', { kernels: section('first'), chains: section('first') }), folder);
  const path = await keep(run('a', { chains: section('second') }), folder);
  const titles = async () => {
    const { sections } = JSON.parse(await readFile(path, 'utf8')) as Results;
    return Object.fromEntries(Object.entries(sections).map(([name, { title }]) => [name, title]));
  };
  t.deepEqual(await titles(), { kernels: 'first', chains: 'second' });
  await keep(run('b', { chains: section('third') }), folder);
  t.deepEqual(await titles(), { chains: 'third' });
});
