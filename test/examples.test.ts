/** The programs that a user starts from run as they stand and find what they should. */
import { readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { lastValueFrom } from 'rxjs';
import {
  applied,
  arrayVolume,
  blocks,
  cells,
  csv,
  intensity,
  maxima,
  removeBackground,
  shape,
  tiffSeries,
  write,
} from '../index.js';
import { ended, scratch, startIn } from './support/command.js';
import { inProject, MINI } from './support/paths.js';
import { readTable } from './support/table.js';

const EXPECTED = inProject('test/reference/mini_default.csv');

test('examples/detect finds the 623 cells of the shipped crop', async (t) => {
  const out = join(await scratch(t), 'cells.csv');
  const { code, stdout, stderr } = await ended(
    startIn(inProject('.'), [inProject('dist/examples/detect.js'), MINI, out]),
  );
  t.is(code, 0, stderr);
  t.true(stdout.includes(out), stdout);
  t.deepEqual(await readTable(out), await readTable(EXPECTED));
});

test('examples/live finds the same number of cells in planes that are still coming', async (t) => {
  const { code, stdout, stderr } = await ended(startIn(inProject('.'), [inProject('dist/examples/live.js'), MINI]));
  t.is(code, 0, stderr);
  const lines = stdout.trimEnd().split('\n');
  t.is(lines.at(-1), '623 cells in all');
  t.true(lines.length > 2, 'cells came in one batch only, not while planes were coming');
});

/** The background that is subtracted in the examples, as a whole. */
async function backgroundOfMini() {
  const background = applied(await tiffSeries(MINI), removeBackground({ size: 10 }));
  const size = { ...background.size, z: background.size.z as number };
  const voxels = new Uint16Array(size.z * size.y * size.x);
  await background.read({ start: { z: 0, y: 0, x: 0 }, stop: size }, voxels, new AbortController().signal);
  return { size, voxels };
}

test('examples/median finds the cells of the median that plain code makes of the background', async (t) => {
  const folder = await scratch(t);
  const out = join(folder, 'cells.csv');
  const { code, stdout, stderr } = await ended(
    startIn(inProject('.'), [inProject('dist/examples/median.js'), MINI, out]),
  );
  t.is(code, 0, stderr);
  t.true(stdout.includes(out), stdout);

  const { size, voxels } = await backgroundOfMini();
  const inside = (at: number, length: number) => Math.min(Math.max(at, 0), length - 1);
  const near = new Uint16Array(9);
  const median = voxels.map((_, at) => {
    const [x, y] = [at % size.x, Math.floor(at / size.x) % size.y];
    const plane = at - y * size.x - x;
    let count = 0;
    for (let dy = -1; dy <= 1; dy++)
      for (let dx = -1; dx <= 1; dx++)
        near[count++] = voxels[plane + inside(y + dy, size.y) * size.x + inside(x + dx, size.x)] as number;
    return near.sort()[4] as number;
  });
  const expected = join(folder, 'expected.csv');
  const found = blocks(arrayVolume(median, size)).pipe(
    maxima({ size: 5 }),
    shape({ threshold: 700 }),
    intensity({ method: 'max', measure: ['source'] }),
    cells(),
    write(csv(expected)),
  );
  await lastValueFrom(found);
  const own = await readTable(out);
  const right = await readTable(expected);
  t.true(right.rows.length > 50, `${right.rows.length}`);
  const columns = ['x', 'y', 'z', 'size', 'median'].map((name) => own.names.indexOf(name));
  t.deepEqual(
    own.rows.map((row) => columns.map((at) => row[at])),
    right.rows,
  );
});

test('examples/radialProfile gives each cell the width that its rings in the background have', async (t) => {
  const out = join(await scratch(t), 'cells.csv');
  const { code, stderr } = await ended(
    startIn(inProject('.'), [inProject('dist/examples/radialProfile.js'), MINI, out]),
  );
  t.is(code, 0, stderr);

  const { size, voxels } = await backgroundOfMini();
  const widthAt = (z: number, y: number, x: number) => {
    const rings = Array.from({ length: 10 }, (_, ring) => {
      const values: number[] = [];
      for (let row = Math.max(0, y - 9); row <= Math.min(size.y - 1, y + 9); row++)
        for (let column = Math.max(0, x - 9); column <= Math.min(size.x - 1, x + 9); column++)
          if (Math.round(Math.sqrt((row - y) ** 2 + (column - x) ** 2)) === ring)
            values.push(voxels[(z * size.y + row) * size.x + column] as number);
      return values.reduce((a, b) => a + b, 0) / values.length;
    });
    const half = (rings[0] as number) / 2;
    const below = rings.findIndex((mean) => mean < half);
    return (
      below - 1 + ((rings[below - 1] as number) - half) / ((rings[below - 1] as number) - (rings[below] as number))
    );
  };
  const { names, rows } = await readTable(out);
  const expected = await readTable(EXPECTED);
  t.deepEqual(names, ['x', 'y', 'z', 'size', 'halfWidth']);
  t.deepEqual(
    rows.map((row) => row.slice(0, 4)),
    expected.rows.map((row) => row.slice(0, 4)),
  );
  const widths = rows.map(([x = 0, y = 0, z = 0]) => widthAt(z, y, x));
  t.true(rows.every((row, at) => Math.abs((row[4] as number) - (widths[at] as number)) < 1e-9));
  t.true(new Set(widths).size > 500, 'the widths are alike');
});

test("the README's program, copied into a file of the clone, writes the 623 cells", async (t) => {
  const readme = await readFile(inProject('README.md'), 'utf8');
  const code = /```js\n([\s\S]*?)```/.exec(readme)?.[1];
  if (code === undefined) return t.fail('README.md has no program');
  // A file in the root finds `somaflow`; run from a folder of its own, it writes no table into the clone.
  const program = inProject(`try-${process.pid}.mjs`);
  const folder = await scratch(t);
  await symlink(inProject('examples'), join(folder, 'examples'));
  t.teardown(() => rm(program, { force: true }));
  await writeFile(program, code);
  const run = await ended(startIn(folder, [program]));
  t.is(run.code, 0, run.stderr);
  t.deepEqual(await readTable(join(folder, 'cells.csv')), await readTable(EXPECTED));
});
