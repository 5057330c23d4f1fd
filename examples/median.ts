/**
 * A step of one's own between two of the chain's: a median of 3 x 3 voxels, which takes away noise of single voxels before maxima
 * are looked for. Its function is a module, so it runs in worker threads while this thread stays free.
 *
 *     node dist/examples/median.js [FOLDER [OUT.csv]]
 */
import { lastValueFrom } from 'rxjs';
import { blocks, cells, csv, intensity, maxima, removeBackground, shape, step, tiffSeries, write } from 'somaflow';

// The compiler learns what the step makes: it may be measured and saved where it is there.
declare module 'somaflow' {
  interface Results {
    readonly median: 'voxels';
  }
}

const [folder = 'examples/data/mini', out = 'cells.csv'] = process.argv.slice(2);

const median = step('median', {
  halo: { z: 0, y: 1, x: 1 }, // what the function reads around each voxel
  module: new URL('./medianStep.js', import.meta.url),
});

const volume = await tiffSeries(folder);
const found = blocks(volume).pipe(
  removeBackground({ size: 10 }),
  median,
  maxima({ size: 5 }), // in the median, as are shapes
  shape({ threshold: 700 }),
  intensity({ method: 'max', measure: ['source', 'background', 'median'] }),
  cells({ memory: '512 MiB' }),
  write(csv(out)),
);
await lastValueFrom(found);
console.log(`cells of the median are in ${out}`);
