/**
 * While the microscope still scans: planes are pushed as they come, and cells leave as soon as no plane to come can change
 * them. Here the planes come from files, one every few milliseconds.
 *
 *     node dist/examples/live.js [FOLDER]
 */
import { setTimeout as wait } from 'node:timers/promises';
import { lastValueFrom, tap } from 'rxjs';
import {
  blocks,
  cells,
  intensity,
  liveVolume,
  maxima,
  removeBackground,
  shape,
  tiffSeries,
  type Volume,
} from 'somaflow';

const recorded = await tiffSeries(process.argv[2] ?? 'examples/data/mini');
const { y, x } = recorded.size;
const live = liveVolume({ size: { y, x }, buffer: 24 });

let count = 0;
const found = blocks(live.volume, { size: { z: 8, y, x } }).pipe(
  removeBackground({ size: 10 }),
  maxima({ size: 5 }),
  shape({ threshold: 700 }),
  intensity({ method: 'max', measure: ['source', 'background'] }),
  cells({ memory: '256 MiB' }),
  tap((batch) => {
    count += batch.cells.count;
    console.log(`${count} cells, final below plane ${batch.finalTo}, ${batch.open.length} components still open`);
  }),
);

// The scan and the search run side by side; a scan that is too fast for the search waits in write().
await Promise.all([scan(recorded), lastValueFrom(found)]);
console.log(`${count} cells in all`);

async function scan(planes: Volume): Promise<void> {
  const depth = planes.size.z ?? 0;
  for (let z = 0; z < depth; z++) {
    const plane = new Uint16Array(y * x);
    await planes.read({ start: { z, y: 0, x: 0 }, stop: { z: z + 1, y, x } }, plane, AbortSignal.timeout(10_000));
    await wait(5);
    await live.write(plane);
  }
  live.end();
}
