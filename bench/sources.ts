import { availableParallelism } from 'node:os';
import { type Contender, type Measured, takeTurns } from './contenders.js';
import { hasPython, inProject, jsonLines } from './programs.js';
import type { Options, Section } from './section.js';
import type { SourceFigures, Task } from './sourceRun.js';
import { converted, synthetic, voxelsOf, warm } from './volumes.js';

/**
 * The default chain from each source, beside only reading it, only computing on what was read once, and the bound of both: the longer of
 * the two, or the CPU seconds of both on all cores, whichever takes longer.
 */
export async function sources({ repeats, quick }: Options): Promise<Section> {
  const planes = quick ? 16 : 64;
  const paths: Record<string, string> = {
    npy: await synthetic(planes),
    'fortran npy': await converted(planes, 'fortran'),
  };
  if (await hasPython(['tifffile'])) paths['tiff series'] = await converted(planes, 'tiff');
  const cores = availableParallelism();
  const contenders: Contender[] = [];
  for (const [source, path] of Object.entries(paths)) {
    await warm(path);
    contenders.push({ name: source, run: () => measured(source, path, planes, cores) });
  }
  const beside = (row: string) => (row.endsWith('end to end') ? { bound: row.replace('end to end', 'bound') } : {});
  return { title: `sources, ${cores} threads`, rows: await takeTurns(contenders, repeats, beside) };
}

async function measured(source: string, path: string, planes: number, cores: number): Promise<Measured[]> {
  const task = (name: Task) => run(name, path, cores);
  const [whole, reading, computing] = [await task('detect'), await task('read'), await task('compute')];
  const shared = (reading.cpuSeconds + computing.cpuSeconds) / cores;
  const bound = Math.max(reading.seconds, computing.seconds, shared);
  const row = (what: string, seconds: number, notes = {}): Measured => {
    return { row: `${source}, ${what}`, mvoxelPerSecond: voxelsOf(planes) / seconds / 1e6, notes };
  };
  return [
    row('end to end', whole.seconds, { cpuSeconds: whole.cpuSeconds }),
    row('reading', reading.seconds, { cpuSeconds: reading.cpuSeconds }),
    row('computing', computing.seconds, { cpuSeconds: computing.cpuSeconds }),
    row('bound', bound),
  ];
}

async function run(task: Task, path: string, threads: number): Promise<SourceFigures> {
  const args = [inProject('dist/bench/sourceRun.js'), task, path, String(threads)];
  const [figures] = await jsonLines<SourceFigures>(process.execPath, args);
  return figures as SourceFigures;
}
