/** What docs/clearmap.md says of names, and of figures where the crops lie beside the repository. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { checkParameters, checkProcessing } from '../detection/schema.js';
import { clearMapParameters } from '../index.js';
import { ended, startIn } from './support/command.js';
import { inProject } from './support/paths.js';

const text = readFileSync(inProject('docs/clearmap.md'), 'utf8');
const SHARED = inProject('../shared');

/** The parameters of ClearMap's detect_cells: what its defaults and its documentation name, step by step. */
const CLEARMAP: Readonly<Record<string, readonly string[]>> = {
  iullumination_correction: ['flatfield', 'background', 'scaling'],
  background_correction: ['shape', 'form'],
  equalization: ['percentile', 'max_value', 'selem', 'spacing', 'interpolate', 'mask'],
  dog_filter: ['shape', 'sigma', 'sigma2'],
  maxima_detection: ['h_max', 'shape', 'threshold', 'valid'],
  shape_detection: ['threshold'],
  intensity_detection: ['method', 'shape', 'measure'],
};
const PROCESSING = [
  ...['size_max', 'size_min', 'overlap', 'axes', 'optimization', 'optimization_fix'],
  ...['processes', 'verbose', 'workspace'],
];

/** The rows of all tables with a column `ours`, as their cells. */
const rows = text
  .split(/\n\n/)
  .filter((table) => /^\| ClearMap +\|.*\| ours +\|/.test(table))
  .flatMap((table) => table.split('\n').slice(2))
  .map((row) => row.split('|').map((cell) => cell.trim()))
  .map(([, theirs = '', , ours = '']) => ({ theirs, ours }));

/** The names in backquotes. */
function quoted(cell: string): string[] {
  return [...cell.matchAll(/`([\w.]+)`/g)].map((match) => match[1] as string);
}

/** What is said of parameters or processing options, undefined where they are fine. */
function complaint(check: (given: unknown, where: string) => void, given: unknown): string | undefined {
  try {
    check(given, 'docs');
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

test("every parameter of ClearMap's detect_cells has its row, under its step", (t) => {
  const named: string[] = [];
  let step = '';
  for (const { theirs } of rows) {
    const names = quoted(theirs);
    if (theirs.startsWith('...')) named.push(...names.map((name) => `${step}.${name}`));
    else if (names[0] !== undefined) {
      step = names[0];
      named.push(step);
    }
  }
  for (const [step, options] of Object.entries(CLEARMAP)) {
    for (const name of [step, ...options.map((option) => `${step}.${option}`)]) t.true(named.includes(name), name);
  }
  for (const name of PROCESSING) t.true(named.includes(name), name);
  t.regex(text, /`save` in a ClearMap entry/);
});

test('every name of ours that stands beside one of ClearMap is one that detectCells knows', (t) => {
  const names = rows.flatMap(({ ours }) => quoted(ours)).filter((name) => name !== 'detectCells');
  t.true(names.length > 30, `only ${names.length} names were found`);
  for (const name of names) {
    const [step = '', option] = name.split('.');
    const found =
      step === 'processing'
        ? complaint(checkProcessing, { [option as string]: null })
        : complaint(checkParameters, { [step]: option === undefined ? {} : { [option]: null } });
    // That null is no value of it does not matter here, and is said of names that are known only.
    t.notRegex(found ?? '', / has no '/, name);
  }
});

test('every option of a step that ClearMap has too is beside it', (t) => {
  const steps = new Set(rows.flatMap(({ ours }) => quoted(ours)).filter((name) => /^(?!detectCells)\w+$/.test(name)));
  const documented = rows.flatMap(({ ours }) => quoted(ours));
  let seen = 0;
  for (const step of steps) {
    // What is no object at all is told which keys there are.
    const keys = / an object of (.+?)(?:, or null)?, got/.exec(complaint(checkParameters, { [step]: 5 }) ?? '')?.[1];
    for (const key of keys?.split(', ') ?? []) {
      if (key === 'save') continue; // Said of all steps at once, above the table.
      seen++;
      t.true(documented.includes(`${step}.${key}`), `${step}.${key}`);
    }
  }
  t.true(seen >= 9, `only ${seen} options were seen`);
});

test("the parameters for the command are those of ClearMap's parameters that differ from the defaults", (t) => {
  const json = /\$ cat clearmap\.json\n(.*)\n/.exec(text)?.[1];
  const given = JSON.parse(json ?? '') as Record<string, unknown>;
  t.is(complaint(checkParameters, given), undefined);
  const { removeBackground, maxima } = clearMapParameters();
  t.like(removeBackground, given.removeBackground as object);
  t.like(maxima, given.maxima as object);
});

test('links within the document lead to headings', (t) => {
  const slug = (heading: string) =>
    heading
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-');
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map((match) => slug(match[1] as string));
  const links = [...text.matchAll(/\]\(#([^)]+)\)/g)].map((match) => match[1] as string);
  t.true(links.length > 9);
  for (const link of links) t.true(headings.includes(link), link);
});

if (existsSync(join(SHARED, 'golden', 'clearmap_crop.csv'))) {
  test('the figures of crop are those that the product gives', async (t) => {
    const [volume, table] = [join(SHARED, 'data', 'crop'), join(SHARED, 'golden', 'clearmap_crop.csv')];
    const run = await ended(startIn(inProject('.'), [inProject('dist/bench/clearmap.js'), volume, table]));
    t.is(run.code, 0, run.stderr);
    const printed = run.stdout
      .split('\n')
      .slice(1, 5)
      .map((line) => line.trim().split(/ {2,}/).slice(1, 8).join(' '));
    const documented = (/^\| `crop`[\s\S]*?\n\n/m.exec(text)?.[0] ?? '').split('\n').slice(2, 6);
    t.is(documented.length, 4);
    const figures = documented.map((row) =>
      row
        .replaceAll(',', '')
        .match(/\b\d+\b/g)
        ?.join(' '),
    );
    t.deepEqual(figures, printed);
  });
}
