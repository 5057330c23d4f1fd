/**
 * From files to a table: the default chain on a folder of TIFF planes.
 *
 *     node dist/examples/detect.js [FOLDER [OUT.csv]]
 */
import { lastValueFrom } from 'rxjs';
import { blocks, cells, csv, intensity, maxima, removeBackground, shape, tiffSeries, write } from 'somaflow';

const [folder = 'examples/data/mini', out = 'cells.csv'] = process.argv.slice(2);

const volume = await tiffSeries(folder);
const found = blocks(volume).pipe(
  removeBackground({ size: 10 }), // wider than the widest cell, in pixels
  maxima({ size: 5 }), // one center in any 5 x 5 x 5 voxels
  shape({ threshold: 700 }), // a cell's voxels are brighter than this, without background
  intensity({ method: 'max', measure: ['source', 'background'] }),
  cells({
    memory: '512 MiB',
    progress: { next: ({ blocks, blocksKnown }) => console.error(`${blocks} of ${blocksKnown} blocks`) },
  }),
  write(csv(out)),
);
const last = await lastValueFrom(found);
console.log(`all cells below plane ${last.finalTo} are in ${out}`);
