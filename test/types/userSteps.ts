/** A user's own step makes the image that it is named for, where that is declared to be one. */
import type { Observable } from 'rxjs';
import {
  type Block,
  blocks,
  cells,
  intensity,
  maxima,
  npyVolume,
  removeBackground,
  run,
  save,
  shape,
  step,
  steps,
  type Volume,
} from 'somaflow';
import { holds, type Same, source } from './support.js';

declare module 'somaflow' {
  interface Results {
    readonly smooth: 'voxels';
    readonly nuclei: 'voxels';
    readonly spots: 'points';
  }
}

declare const volume: Volume;

const smooth = step('smooth', {
  halo: 1,
  run: ({ planes, center }, z, signal) => planes[signal.aborted ? z : center] ?? new Uint8Array(),
});
const inModule = step('smooth', {
  halo: { z: 0, y: 1, x: 1 },
  dtype: 'float32',
  module: new URL('file:///smooth.js'),
  export: 'smooth',
});

const smoothed = source.pipe(removeBackground(), smooth);
holds<Same<typeof smoothed, Observable<Block<'source' | 'background' | 'smooth'>>>>();

source.pipe(inModule, maxima(), shape(), intensity({ measure: ['smooth', 'source'] }), cells());
source.pipe(inModule, save('smooth', npyVolume('smooth.npy')), run());
source.pipe(steps(inModule, removeBackground(), maxima()), cells());
smoothed.subscribe((block) => block.voxels('smooth'));

// A channel that the step is given is asked of the blocks.
const both = step('smooth', {
  halo: 0,
  with: ['nuclei', 'dog'],
  run: ({ others }) => others.nuclei?.[0] ?? new Uint8Array(),
});
blocks(volume, { also: { nuclei: volume } }).pipe(both, maxima(), cells());

// error: MissingStep<"nuclei">
source.pipe(both, maxima(), cells());

// error: "sharp"
step('sharp', { halo: 1, run: () => new Uint8Array() });

// error: "spots"
step('spots', { halo: 1, run: () => new Uint8Array() });

// error: "dog"
step('dog', { halo: 1, run: () => new Uint8Array() });

// error: MissingStep<"smooth">
source.pipe(maxima(), shape(), intensity({ measure: ['smooth'] }), smooth);

// error: MissingStep<"smooth">
source.pipe(save('smooth', npyVolume('smooth.npy')), smooth);

// error: "smooth"
source.subscribe((block) => block.voxels('smooth'));

// error: 'halo' is missing
step('smooth', { run: () => new Uint8Array() });

// error: not assignable
step('smooth', { halo: 1, run: () => new Float64Array(4) });

// error: not assignable
step('smooth', { halo: 1, dtype: 'int16', run: () => new Uint8Array() });
