/**
 * What a step of the user's own costs: the median of examples/median.ts over planes of 2048 x 2048, in worker threads and on the JavaScript
 * thread, beside the same chain without it; by how much it makes timers late; and how long the thread works at a stretch (Linux tells).
 *
 *     npm run bench:steps
 *
 * On a machine that does something else as well, timers are also late because the thread waits for a processor.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { lastValueFrom } from 'rxjs';
import { blocks, cells, maxima, removeBackground, type Step, shape, step, synthetic } from 'somaflow';
import median from '../examples/medianStep.js';
import { longestStretchMs } from '../test/support/threadTime.js';
import { printTable } from './table.js';

const size = { z: 24, y: 2048, x: 2048 };
const halo = { z: 0, y: 1, x: 1 };

// It is made by native threads, so that reading it keeps no timer waiting.
const { volume } = synthetic({ size, cells: 4000, seed: 1 });

const own: Readonly<Record<string, Step<'source', 'median'> | null>> = {
  'without it': null,
  'in worker threads': step('median', { halo, module: new URL('../examples/medianStep.js', import.meta.url) }),
  'on the JavaScript thread': step('median', { halo, run: median }),
};

const rows: (string | number)[][] = [
  ['median', 'threads', 'seconds', 'Mvoxel/s', 'timers late by, ms: p99', 'most', 'thread ran at a stretch, ms'],
];
for (const [how, asked] of Object.entries(own))
  for (const threads of [1, 2]) {
    const opened = blocks(volume, { size }).pipe(removeBackground({ size: 10 }));
    const found = (asked ? opened.pipe(asked) : opened).pipe(maxima(), shape({ threshold: 700 }), cells({ threads }));
    const delay = monitorEventLoopDelay({ resolution: 1 });
    const start = performance.now();
    delay.enable();
    const ran = await longestStretchMs(() => lastValueFrom(found));
    delay.disable();
    const seconds = (performance.now() - start) / 1000;
    const voxels = size.z * size.y * size.x;
    const times = [delay.percentile(99) / 1e6, delay.max / 1e6, ran].map((ms) => ms.toFixed(1));
    rows.push([how, threads, seconds.toFixed(2), (voxels / seconds / 1e6).toFixed(1), ...times]);
  }
printTable(rows);
