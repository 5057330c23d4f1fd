#!/usr/bin/env node
/**
 * Plants each bug of this folder into a copy of the project and expects the test that the patch names to fail.
 *
 *     npm run mutants [-- NAME...]
 *
 * A mutant is a patch `NAME.patch` as `git diff` writes it, below a header of three lines:
 *
 *     bug: what is wrong in the planted code
 *     test: test/layout.test.ts
 *     title: the whole title of the test that has to fail
 *
 * The copy is built and the named tests are run without any patch first: a test that fails anyway shows nothing.
 */
import { spawn } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const project = join(here, '..', '..');
const MOST_MS = 5 * 60_000;

/** Runs a command to its end; a command that outlives its time is stopped with all that it started. */
function run(folder, command, args, mostMs = MOST_MS) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: folder,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      // Without the ceiling, git would take a repository above the temporary folder for its own and skip the patch.
      env: { ...process.env, GIT_CEILING_DIRECTORIES: dirname(folder), JOBS: 'max', FORCE_COLOR: '0' },
    });
    let output = '';
    let hangs = false;
    child.stdout.on('data', (data) => {
      output += data;
    });
    child.stderr.on('data', (data) => {
      output += data;
    });
    const timer = setTimeout(() => {
      hangs = true;
      process.kill(-child.pid, 'SIGKILL');
    }, mostMs);
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ ok: code === 0, hangs, output });
    });
  });
}

async function readMutant(file) {
  const text = await readFile(join(here, file), 'utf8');
  const header = text.slice(0, Math.max(0, text.search(/^(diff --git|---) /m)));
  const field = (name) => header.match(new RegExp(`^(?:# *)?${name}: (.+)$`, 'm'))?.[1]?.trim();
  const mutant = { name: basename(file, '.patch'), bug: field('bug'), test: field('test'), title: field('title') };
  for (const [name, value] of Object.entries(mutant))
    if (!value) throw new Error(`${file}: the header has no '${name}:'`);
  return { ...mutant, file, touchesNative: /^\+\+\+ b\/native\/.*\.(cc|h|gyp)$/m.test(text) };
}

/**
 * A copy of the project that builds; dependencies are linked. Paths in a native build reach out of it relative to where
 * it lies, so that of the project is no use elsewhere, while copies side by side can use each other's.
 */
async function copy(from, to) {
  const left = new Set(['node_modules', '.git', ...(from === project ? [join('native', 'build')] : [])]);
  await cp(from, to, {
    recursive: true,
    preserveTimestamps: true,
    filter: (path) => !left.has(relative(from, path)) && !path.endsWith('.log'),
  });
  await symlink(join(project, 'node_modules'), join(to, 'node_modules'));
}

/** Compiles the TypeScript, and with `native` the script of package.json that builds the addon first. */
async function build(folder, native) {
  if (native) {
    const built = await run(folder, 'npm', ['run', '--silent', native], 3 * MOST_MS);
    if (!built.ok) return built;
  }
  const bin = join(folder, 'node_modules', '.bin');
  const info = join(folder, 'dist', '.tsbuildinfo');
  return run(folder, join(bin, 'tsc'), ['-p', '.', '--pretty', 'false', '--incremental', '--tsBuildInfoFile', info]);
}

/** Runs one test: 'passes', 'fails', 'hangs', or what else became of it. */
async function outcomeOf(folder, { test, title }) {
  const file = join('dist', test.replace(/\.ts$/, '.js'));
  // A pattern in ava: an asterisk stands for anything, and a leading exclamation mark turns it round.
  const pattern = title.replace(/^!/, '*');
  const ava = join(folder, 'node_modules', '.bin', 'ava');
  // Not as TAP: that reporter of ava's crashes on an error without a stack, as those of native threads are.
  const { hangs, output } = await run(folder, ava, [file, `--match=${pattern}`]);
  if (hangs) return { outcome: 'hangs', output };
  if (output.split('\n').some((line) => line.includes(`[fail]: ${title}`))) return { outcome: 'fails', output };
  if (/^ *1 test passed$/m.test(output)) return { outcome: 'passes', output };
  if (/no new tests completed|timed out/i.test(output)) return { outcome: 'hangs', output };
  if (/exited due to|uncaught exception|unhandled rejection/i.test(output)) return { outcome: 'crashes', output };
  return { outcome: 'does not run', output };
}

async function verdictOn(mutant, base, folder) {
  await copy(base, folder);
  const patch = join(here, mutant.file);
  let applied = await run(folder, 'git', ['apply', '--whitespace=nowarn', patch]);
  // A patch whose surroundings have moved a little still counts; `patch` is more forgiving than git.
  if (!applied.ok) applied = await run(folder, 'patch', ['-p1', '--forward', '--batch', '--input', patch]);
  if (!applied.ok) return { verdict: 'does not apply', good: false, output: applied.output };
  const built = await build(folder, mutant.touchesNative ? 'build:native' : null);
  if (!built.ok) return { verdict: 'does not build', good: false, output: built.output };
  const { outcome, output } = await outcomeOf(folder, mutant);
  // A run that never ends does not pass either: a property that watches for it has found the bug.
  const good = outcome === 'fails' || outcome === 'hangs';
  return { verdict: good ? `caught (${outcome})` : outcome === 'passes' ? 'SURVIVES' : outcome, good, output };
}

async function main(wanted) {
  const files = (await readdir(here)).filter((file) => file.endsWith('.patch')).sort();
  const mutants = (await Promise.all(files.map(readMutant))).filter(
    ({ name }) => wanted.length === 0 || wanted.includes(name),
  );
  for (const name of wanted)
    if (!mutants.some((mutant) => mutant.name === name)) throw new Error(`there is no mutant ${name}`);
  if (mutants.length === 0) throw new Error(`there is no patch in ${here}`);

  const scratch = await mkdtemp(join(tmpdir(), 'somaflow-mutants-'));
  const stop = () => {
    rm(scratch, { recursive: true, force: true }).finally(() => process.exit(130));
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  try {
    const base = join(scratch, 'base');
    await copy(project, base);
    const built = await build(base, 'install');
    if (!built.ok) throw new Error(`the project itself does not build:\n${built.output}`);
    const tests = new Map(mutants.map(({ test, title }) => [`${test}: ${title}`, { test, title }]));
    for (const [name, which] of tests) {
      const { outcome, output } = await outcomeOf(base, which);
      if (outcome !== 'passes') throw new Error(`without any patch, ${name} ${outcome}:\n${output.slice(-4000)}`);
    }

    const rows = [];
    for (const mutant of mutants) {
      const folder = join(scratch, mutant.name);
      const started = Date.now();
      const { verdict, good, output } = await verdictOn(mutant, base, folder);
      await rm(folder, { recursive: true, force: true });
      rows.push({ mutant: mutant.name, verdict, seconds: Math.round((Date.now() - started) / 1000), bug: mutant.bug });
      console.log(`${good ? 'ok  ' : 'BAD '} ${mutant.name}: ${verdict}`);
      if (!good) {
        process.exitCode = 1;
        console.log(output.slice(-4000));
      }
    }
    console.table(rows);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

await main(process.argv.slice(2)).catch((error) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
