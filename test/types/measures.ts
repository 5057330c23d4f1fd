/** Measures of the user's own: over windows they need maxima, over voxels shapes too. */
import {
  type CellVoxels,
  type CellWindows,
  cells,
  maxima,
  measure,
  removeBackground,
  type Step,
  save,
  shape,
} from 'somaflow';
import { holds, type Same, source } from './support.js';

declare module 'somaflow' {
  interface Results {
    readonly smooth: 'voxels';
  }
}

declare const smooth: Step<'source', 'smooth'>;
declare const sink: Parameters<typeof save>[1];

const near = measure('near', { of: 'source', window: 3 }, (windows, count) => {
  holds<Same<typeof windows, CellWindows>>();
  return new Float64Array(count);
});
const own = measure('own', { of: 'source' }, async (voxels, count) => {
  holds<Same<typeof voxels, CellVoxels>>();
  return new Float64Array(count);
});
const ofSmooth = measure(
  'rough',
  { of: 'smooth', window: { z: 1, y: 3, x: 3 } },
  (_, count) => new Float64Array(count),
);

source.pipe(removeBackground(), maxima(), near, cells());

source.pipe(maxima(), shape(), own, save('maxima', sink), save('shape', sink), cells({ columns: ['label', 'box'] }));

source.pipe(smooth, maxima(), ofSmooth, cells());

// error: MissingStep<"maxima">
source.pipe(near);

// error: MissingStep<"shape">
source.pipe(maxima(), own);

// error: MissingStep<"smooth">
source.pipe(maxima(), ofSmooth);

// error: MissingStep<"shape">
source.pipe(maxima(), save('shape', sink));

// error: MissingStep<"maxima">
source.pipe(save('maxima', sink));

// error: Promise<number[]>
measure('near', { of: 'source', window: 3 }, async () => [1, 2]);

// error: "labels"
cells({ columns: ['labels'] });
