/** Doc comments of what the package exports: the form that operators have, and their examples, which compile and run. */
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { isObservable, lastValueFrom, toArray } from 'rxjs';
import type { Volume, Zyx } from '../index.js';
import { docExamples } from './support/docExamples.js';
import { fillExampleFolder } from './support/exampleFolder.js';
import { readRegion, whole } from './support/reading.js';

const { exports, examples } = docExamples();
const root = process.cwd();

/** Steps that compute nothing of their own have no paper to name. */
const WITHOUT_SOURCE = ['save', 'step', 'measure'];

for (const { title, code, javascript, complaints } of examples) {
  // One at a time: the folder that paths are looked for in is the process's.
  test.serial(`the example of ${title} compiles and runs`, async (t) => {
    t.deepEqual(complaints, [], code);
    const folder = await mkdtemp(join(tmpdir(), 'somaflow-test-'));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const program = await fillExampleFolder(folder, javascript);
    process.chdir(folder);
    try {
      const { result } = (await import(pathToFileURL(program).href)) as { result: unknown };
      t.is(await unused(result), undefined, code);
      for (const [, file = ''] of code.matchAll(/'([\w.]+\.(?:csv|npy|tif))'/g)) {
        await t.notThrowsAsync(access(join(folder, file)), `${file} is not there: ${code}`);
      }
    } finally {
      process.chdir(root);
    }
  });
}

/** Uses what an example gives, so that nothing of it stays undone; what it leaves that nobody runs is told. */
async function unused(result: unknown): Promise<string | undefined> {
  if (typeof result === 'function') return 'an operator that is not part of a pipeline';
  if (isObservable(result)) {
    const values = await lastValueFrom(result.pipe(toArray()));
    if (values.length === 0) return 'a stream that is empty';
    return values.some(isBlock) ? 'blocks that are not run' : undefined;
  }
  if (isVolume(result)) await readRegion(result, whole(result.size as Zyx));
  return undefined;
}

const isBlock = (value: unknown) => typeof value === 'object' && value !== null && 'plans' in value && 'core' in value;

const isVolume = (value: unknown): value is Volume => typeof value === 'object' && value !== null && 'read' in value;

test('every function and class of the package that is no error has an example', (t) => {
  const needing = exports.filter(({ kind, isError }) => kind === 'function' || (kind === 'class' && !isError));
  t.true(needing.length >= 35, `only ${needing.length} were found`);
  const without = needing.filter(({ tags }) => !tags.some(({ name }) => name === 'example'));
  t.deepEqual(
    without.map(({ name, file }) => `${name} (${file})`),
    [],
  );
});

test('every function and class begins with one sentence, in a paragraph of its own', (t) => {
  const wordy = exports
    .filter(({ kind }) => kind === 'function' || kind === 'class')
    .map(({ name, file, text }) => ({ where: `${name} (${file})`, first: text.split('\n\n')[0] as string }))
    .filter(({ first }) => !/^[A-Z][\s\S]*[^.]\.$/.test(first) || /[^.][.!?]\s+[A-Z]/.test(first));
  t.deepEqual(wordy, []);
});

test('every step tells what it needs and adds, its halo, what it throws, and its source', (t) => {
  const steps = exports.filter(({ isStep, file }) => isStep && file.startsWith('operators/'));
  t.true(steps.length >= 8, `only ${steps.length} were found`);
  for (const { name, file, tags } of steps) {
    const wanted = ['needs', 'adds', 'halo', 'throws', ...(WITHOUT_SOURCE.includes(name) ? [] : ['source'])];
    for (const tag of wanted) {
      const said = tags.filter((one) => one.name === tag && one.text.trim() !== '');
      t.true(said.length > 0, `${name} (${file}) has no @${tag}`);
    }
    for (const { text } of tags.filter((one) => one.name === 'throws')) t.regex(text, /\b[A-Z]\w*Error\b/, name);
  }
});

test('every field of every options interface is explained', (t) => {
  const options = exports.filter(({ kind, name }) => kind === 'type' && name.endsWith('Options'));
  t.true(options.length >= 12, `only ${options.length} were found`);
  for (const { name, file, unsaid } of options) t.deepEqual(unsaid, [], `${name} (${file})`);
});
