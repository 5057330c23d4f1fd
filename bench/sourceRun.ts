/**
 * One task on one source, in a process of its own: prints its seconds, and those of the processors, without the process's start.
 *
 *     sourceRun.js detect|read|compute SOURCE THREADS
 */
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { arrayVolume, detectCells, openSource, type Volume, type Zyx } from 'somaflow';

export type Task = 'detect' | 'read' | 'compute';

export interface SourceFigures {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

const [task, path, threads] = process.argv.slice(2) as [Task, string, string];
const out = join(tmpdir(), `somaflow-bench-${process.pid}.csv`);
const work = await prepared();
const start = performance.now();
const before = process.cpuUsage();
await work();
const { user, system } = process.cpuUsage(before);
const figures: SourceFigures = { seconds: (performance.now() - start) / 1000, cpuSeconds: (user + system) / 1e6 };
console.log(JSON.stringify(figures));
await Promise.all([out, `${out}.json`].map((file) => rm(file, { force: true })));

/** What is to be timed. */
async function prepared(): Promise<() => Promise<unknown>> {
  const detect = (source: string | Volume) => detectCells(source, out, {}, { threads: Number(threads) });
  if (task === 'detect') return () => detect(path);
  if (task === 'read') return async () => readAll(await openSource(path));
  const volume = await openSource(path);
  const size = volume.size as Zyx;
  const voxels = new Uint16Array(size.z * size.y * size.x);
  await volume.read({ start: { z: 0, y: 0, x: 0 }, stop: size }, voxels, new AbortController().signal);
  const inMemory = arrayVolume(voxels, size);
  return () => detect(inMemory);
}

/** Reads plane after plane, as a chain does, into memory that is used again; as many at a time as there are threads. */
async function readAll(volume: Volume): Promise<void> {
  const { z: depth, y, x } = volume.size as Zyx;
  const { signal } = new AbortController();
  let next = 0;
  const reader = async () => {
    const into = new Uint16Array(new SharedArrayBuffer(2 * y * x));
    for (let z = next++; z < depth; z = next++) {
      await volume.read({ start: { z, y: 0, x: 0 }, stop: { z: z + 1, y, x } }, into, signal);
    }
  };
  await Promise.all(Array.from({ length: Number(threads) }, reader));
}
