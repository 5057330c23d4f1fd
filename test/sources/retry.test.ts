import { access, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { isTransient, retrying } from '../../sources/retry.js';
import { run } from '../support/command.js';
import { compileFailingIo, type Failure, runFailing } from '../support/failingIo.js';
import { writeNpy } from '../support/npy.js';
import { COMMAND, MINI } from '../support/paths.js';
import { tempFolder } from '../support/temp.js';
import { writeTiff } from '../support/tiff.js';

const size = { z: 2, y: 3, x: 4 };
const data = Uint16Array.from({ length: 24 }, (_, i) => i * i);
const HEADER_BYTES = 128;

/** A program that reads a whole source and prints the sum of its voxels, or what went wrong. */
const program = (path: string, abortAfterMs = 60_000) => `
  import { openSource } from ${JSON.stringify(new URL('../../index.js', import.meta.url).href)};
  const began = performance.now();
  try {
    const volume = await openSource(${JSON.stringify(path)});
    const aborting = new AbortController();
    setTimeout(() => aborting.abort(new Error('enough')), ${abortAfterMs}).unref();
    const voxels = new Uint16Array(24);
    await volume.read({ start: { z: 0, y: 0, x: 0 }, stop: volume.size }, voxels, aborting.signal);
    console.log(voxels.reduce((sum, value) => sum + value, 0));
  } catch (error) {
    console.log(error.name + ' ' + error.message);
  }
  console.error(performance.now() - began);`;
const SUM = data.reduce((sum, value) => sum + value, 0);

type Case = readonly [claim: string, kind: 'npy' | 'tiff', failure: Omit<Failure, 'path'>, outcome: string];
const cases: readonly Case[] = [
  ['an open that fails once', 'npy', { call: 'open', error: 'EIO', times: 1 }, `${SUM}`],
  ['a header that cannot be read twice', 'npy', { call: 'read', error: 'EAGAIN', times: 2 }, `${SUM}`],
  [
    'voxels that cannot be read three times',
    'npy',
    { call: 'read', error: 'EIO', times: 3, fromByte: HEADER_BYTES },
    `${SUM}`,
  ],
  [
    'a descriptor that is stale amid a run',
    'npy',
    { call: 'stale', error: 'ESTALE', times: 1, fromByte: HEADER_BYTES },
    `${SUM}`,
  ],
  ['a plane whose first two descriptors are stale', 'tiff', { call: 'stale', error: 'ESTALE', times: 2 }, `${SUM}`],
  [
    'an open that never succeeds',
    'npy',
    { call: 'open', error: 'EIO', times: 1000 },
    'SourceError PATH: cannot be opened: i/o error (EIO), after 4 tries',
  ],
  [
    'voxels that can never be read',
    'npy',
    { call: 'read', error: 'EIO', times: 1000, fromByte: HEADER_BYTES },
    `SourceError PATH: cannot be read at byte ${HEADER_BYTES}: i/o error (EIO), after 4 tries`,
  ],
  [
    'a file that is stale for good',
    'npy',
    { call: 'stale', error: 'ESTALE', times: 1000, fromByte: HEADER_BYTES },
    `SourceError PATH: cannot be read at byte ${HEADER_BYTES}: stale file handle (ESTALE), after 4 tries`,
  ],
  [
    'tags that can never be read',
    'tiff',
    { call: 'read', error: 'EIO', times: 1000 },
    'SourceError PATH: cannot be read: i/o error (EIO), after 4 tries',
  ],
  [
    'an open that is forbidden, though only once,',
    'npy',
    { call: 'open', error: 'EACCES', times: 1 },
    'SourceError PATH: cannot be opened: permission denied (EACCES)',
  ],
];

test('transient errors of the system are retried, a few times, and other errors never', async (t) => {
  if (process.platform !== 'linux') return t.pass('calls are made to fail by the loader of Linux');
  const folder = await tempFolder(t);
  const library = await compileFailingIo(folder);
  await mkdir(join(folder, 'planes'));
  const files = { npy: join(folder, 'volume.npy'), tiff: join(folder, 'planes', 'a1.tif') };
  await writeNpy(files.npy, { size, data });
  for (const z of [0, 1])
    await writeTiff(join(folder, 'planes', `a${z}.tif`), data.subarray(12 * z, 12 * z + 12), 3, 4);
  for (const [claim, kind, failure, outcome] of cases) {
    const path = files[kind];
    const source = kind === 'npy' ? path : join(folder, 'planes');
    const { stdout } = await runFailing(library, { ...failure, path }, ['--input-type=module', '-e', program(source)]);
    t.is(stdout, `${outcome.replace('PATH', path)}\n`, claim);
  }
  const failure = { path: files.npy, call: 'read', error: 'EIO', times: 1000, fromByte: HEADER_BYTES } as const;
  const aborted = await runFailing(library, failure, ['--input-type=module', '-e', program(files.npy, 300)]);
  t.is(aborted.stdout, 'Error enough\n');
  t.true(Number(aborted.stderr) < 900, `cancelling took ${aborted.stderr} ms, as long as all tries take`);
});

test('a run whose file fails now and then finds the same cells; one whose file stays broken ends in one line', async (t) => {
  if (process.platform !== 'linux') return t.pass('calls are made to fail by the loader of Linux');
  const folder = await tempFolder(t);
  const library = await compileFailingIo(folder);
  const out = (name: string) => join(folder, `${name}.csv`);
  const detect = (name: string) => [COMMAND, 'detect', MINI, '--out', out(name), '--quiet', '--threads', '1'];
  const path = join(MINI, 'ch00017.tif');
  t.is((await run(...detect('sound').slice(1))).code, 0);
  const shaken = await runFailing(library, { path, call: 'read', error: 'EIO', times: 2 }, detect('shaken'));
  t.is(shaken.code, 0, shaken.stderr);
  t.true((await readFile(out('sound'))).equals(await readFile(out('shaken'))));
  const broken = await runFailing(library, { path, call: 'read', error: 'EIO', times: 1000 }, detect('broken'));
  t.is(broken.code, 1);
  t.regex(broken.stderr, /^somaflow: [^\n]*ch00017\.tif: cannot be read: i\/o error \(EIO\), after 4 tries\n$/);
  await t.throwsAsync(access(out('broken')), { code: 'ENOENT' });
});

test('retrying gives up at once when it is aborted, and passes other errors on as they are', async (t) => {
  const aborting = new AbortController();
  const eio = Object.assign(new Error('EIO: i/o error'), { code: 'EIO', errno: -5 });
  let calls = 0;
  const tried = retrying(async () => {
    calls++;
    throw eio;
  }, aborting.signal);
  aborting.abort('enough');
  t.is(await tried.catch((error: unknown) => error), 'enough');
  t.is(calls, 1);
  const bug = new TypeError('a bug');
  t.is(await retrying(() => Promise.reject(bug)).catch((error: unknown) => error), bug);
  t.true(isTransient(new Error('outer', { cause: new Error('inner', { cause: eio }) })));
  t.false(isTransient(bug));
  t.false(isTransient('no error'));
});
