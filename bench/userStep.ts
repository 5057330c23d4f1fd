/**
 * What a step of the user's own costs: the median of examples/median.ts over planes of 2048 x 2048, in worker threads and on the JavaScript
 * thread, beside the same chain without it; and by how much it makes timers late.
 *
 *     npm run bench:steps
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { lastValueFrom } from 'rxjs';
import { blocks, cells, maxima, removeBackground, type Step, shape, step, type Volume } from 'somaflow';
import median from '../examples/medianStep.js';
import { printTable } from './table.js';

const size = { z: 24, y: 2048, x: 2048 };
const halo = { z: 0, y: 1, x: 1 };

/** Planes of the same noise, in memory, so that reading takes next to no time. */
const pixels = size.y * size.x;
const noise = new Uint16Array(pixels);
for (let at = 0, state = 1; at < pixels; at++) {
  state = (Math.imul(state, 1103515245) + 12345) >>> 0;
  noise[at] = 200 + (state >>> 21);
}
const volume: Volume = {
  ...{ id: 'noise', size, dtype: 'uint16' },
  async read({ start, stop }, into) {
    for (let z = start.z; z < stop.z; z++) into.set(noise, (z - start.z) * pixels);
  },
};

const own: Readonly<Record<string, Step<'source', 'median'> | null>> = {
  'without it': null,
  'in worker threads': step('median', { halo, module: new URL('../examples/medianStep.js', import.meta.url) }),
  'on the JavaScript thread': step('median', { halo, run: median }),
};

const rows: (string | number)[][] = [['median', 'threads', 'seconds', 'Mvoxel/s', 'timers late by, ms: p99', 'most']];
for (const [how, asked] of Object.entries(own))
  for (const threads of [1, 2]) {
    const opened = blocks(volume, { size }).pipe(removeBackground({ size: 10 }));
    const delay = monitorEventLoopDelay({ resolution: 1 });
    const start = performance.now();
    delay.enable();
    await lastValueFrom(
      (asked ? opened.pipe(asked) : opened).pipe(maxima(), shape({ threshold: 1800 }), cells({ threads })),
    );
    delay.disable();
    const seconds = (performance.now() - start) / 1000;
    const voxels = size.z * pixels;
    const late = [delay.percentile(99), delay.max].map((ns) => (ns / 1e6).toFixed(1));
    rows.push([how, threads, seconds.toFixed(2), (voxels / seconds / 1e6).toFixed(1), ...late]);
  }
printTable(rows);
