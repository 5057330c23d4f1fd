/**
 * One task on one source, in a process of its own: prints its seconds, and those of the processors, without the process's start.
 *
 *     sourceRun.js detect|read|compute SOURCE THREADS
 */
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom, toArray } from 'rxjs';
import { blocks, detectCells, openSource, type Volume } from 'somaflow';

export type Task = 'detect' | 'read' | 'compute';

export interface SourceFigures {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** What a chain asks a source for at a time. */
const VOXELS_TOGETHER = 2 * 2 ** 20;

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
  const volume = readOnce(await openSource(path));
  return () => detect(volume);
}

/**
 * A volume of which every place in memory is filled but once, so that what follows costs no reading: a ring goes on with planes of the
 * volume that are not those asked for. Cells that planes do not go on with fall apart, so there are more of them, never less to do.
 */
function readOnce(volume: Volume): Volume {
  const filled = new WeakMap<ArrayBufferLike, Set<number>>();
  return {
    ...volume,
    async read(region, into, signal) {
      const places = filled.get(into.buffer) ?? new Set();
      if (places.has(into.byteOffset)) return;
      filled.set(into.buffer, places.add(into.byteOffset));
      await volume.read(region, into, signal);
    },
  };
}

/** Reads the blocks of the default layout as a chain does, some planes at a time into memory that is used again, and drops what was read. */
async function readAll(volume: Volume): Promise<void> {
  const all = await lastValueFrom(blocks(volume).pipe(toArray()));
  const { signal } = new AbortController();
  const reader = async () => {
    let into: Uint16Array = new Uint16Array();
    for (let block = all.shift(); block !== undefined; block = all.shift()) {
      const { start, stop } = block.core;
      const [y, x] = [stop.y - start.y, stop.x - start.x];
      const deep = Math.max(1, Math.floor(VOXELS_TOGETHER / (y * x)));
      if (into.length < deep * y * x) into = new Uint16Array(new SharedArrayBuffer(2 * deep * y * x));
      for (let z = start.z; z < stop.z; z += deep) {
        const to = Math.min(z + deep, stop.z);
        await volume.read(
          { start: { ...start, z }, stop: { ...stop, z: to } },
          into.subarray(0, (to - z) * y * x),
          signal,
        );
      }
    }
  };
  await Promise.all(Array.from({ length: Number(threads) }, reader));
}
