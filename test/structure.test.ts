/** The repository's own rules: who may import whom, how long a file may be, and what is depended on. */
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative } from 'node:path';
import test from 'ava';
import { inProject } from './support/paths.js';

const FOLDERS = [
  'core',
  'operators',
  'detection',
  'sources',
  'sinks',
  'native',
  'cli',
  'bench',
  'examples',
  'test',
] as const;
const LONGEST = 400;

/** What the files of a folder may import, besides their own folder. Those not listed may import anything. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  native: [],
  core: ['native'],
  operators: ['core', 'native'],
  sources: ['core', 'native'],
  sinks: ['core', 'native'],
  detection: ['core', 'operators', 'sources', 'sinks'],
};

/** Files with one of the endings, as paths from the root. */
function files(folder: string, endings: readonly string[]): string[] {
  return readdirSync(inProject(folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)))
    .map((entry) => relative(inProject('.'), join(entry.parentPath, entry.name)))
    .filter((path) => !/^native\/build\/|^test\/reference\/|(^|\/)node_modules\//.test(path));
}

function read(path: string): string {
  return readFileSync(inProject(path), 'utf8');
}

/** Module names that a file imports, in whatever form. */
function imports(path: string): string[] {
  const source = read(path);
  const forms = [/\bfrom\s+'([^']+)'/g, /\bimport\s+'([^']+)'/g, /\bimport\(\s*'([^']+)'/g];
  return forms.flatMap((form) => [...source.matchAll(form)].map((match) => match[1] as string));
}

/** The folder at the top level that a relative import leads to, `.` for the root itself. */
function targetFolder(path: string, specifier: string): string {
  const [first = '.', ...rest] = join(dirname(path), specifier).split('/');
  return rest.length === 0 ? '.' : first;
}

const sources = ['index.ts', ...FOLDERS.flatMap((folder) => files(folder, ['.ts']))];

test('imports point one way: operators, sources and sinks to core, core to native', (t) => {
  let seen = 0;
  for (const path of sources) {
    const own = path.split('/')[0] as string;
    const allowed = MAY_IMPORT[own];
    if (allowed === undefined || path.startsWith('native/test/')) continue;
    for (const specifier of imports(path).filter((name) => name.startsWith('.'))) {
      const target = targetFolder(path, specifier);
      seen++;
      t.true(target === own || allowed.includes(target), `${path} imports ${specifier}`);
    }
  }
  t.true(seen > 20, `only ${seen} imports were seen`);
});

test('nothing of the product imports tests, benchmarks, examples or the command', (t) => {
  const product = sources.filter((path) => !/^(test|bench|examples|native\/test)\//.test(path));
  for (const path of product) {
    for (const specifier of imports(path).filter((name) => name.startsWith('.'))) {
      const target = targetFolder(path, specifier);
      const outside = ['test', 'bench', 'examples', ...(path.startsWith('cli/') ? [] : ['cli'])];
      t.false(outside.includes(target), `${path} imports ${specifier}`);
    }
  }
});

test('only native/index.ts loads the addon', (t) => {
  const loading = sources.filter((path) => /createRequire|\.node'/.test(read(path)) && !path.startsWith('test/'));
  t.deepEqual(loading, ['native/index.ts']);
});

test(`no source file is longer than ${LONGEST} lines`, (t) => {
  const all = [...sources, ...FOLDERS.flatMap((folder) => files(folder, ['.cc', '.h', '.mjs', '.py']))];
  const long = all
    .map((path) => ({ path, lines: read(path).split('\n').length }))
    .filter(({ lines }) => lines > LONGEST);
  t.deepEqual(long, []);
});

test('every dependency is used by the product, and every package it imports is a dependency', (t) => {
  const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
  const product = sources.filter((path) => !/^(test|bench|examples|native\/test)\//.test(path));
  const packages = product.flatMap(imports).flatMap((name) => {
    if (name.startsWith('.') || name.startsWith('node:') || builtinModules.includes(name)) return [];
    return name.startsWith('@') ? name.split('/').slice(0, 2).join('/') : (name.split('/')[0] as string);
  });
  const used = new Set(packages);
  // The binding's headers are included by C++ and found by native/binding.gyp.
  if (read('native/binding.gyp').includes('node-addon-api')) used.add('node-addon-api');
  t.deepEqual([...used].sort(), Object.keys(dependencies).sort());
});

test('the planted bugs that the heart of the project must not have are there', (t) => {
  const planted = files('test/mutants', ['.patch']).map((path) => path.split('/').at(-1)?.replace('.patch', ''));
  for (const bug of [
    'halo-one-too-small',
    'seams-not-joined',
    'equal-seeds-by-arrival',
    'plateaus-merged-per-core',
    'spill-ignored',
  ])
    t.true(planted.includes(bug), bug);
});
