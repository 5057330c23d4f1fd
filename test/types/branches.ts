/** What a branching needs and adds: what any branch needs, and what all of them add. */
import type { Observable } from 'rxjs';
import {
  type Block,
  blocks,
  branch,
  cells,
  maxima,
  removeBackground,
  type Step,
  shape,
  steps,
  type Volume,
} from 'somaflow';
import { holds, type Same, source } from './support.js';

declare module 'somaflow' {
  interface Results {
    readonly nuclei: 'voxels';
    readonly outline: 'voxels';
  }
}

declare const ofShapes: Step<'shape', never>;
declare const outline: Step<'nuclei', 'outline'>;
declare const volume: Volume;

const both = source.pipe(branch({ low: steps(maxima(), shape({ threshold: 300 })), high: steps(maxima(), shape()) }));
holds<Same<typeof both, Observable<Block<'source' | 'maxima' | 'shape'>>>>();

const one = source.pipe(branch({ own: steps(removeBackground(), maxima(), shape()), bare: maxima() }));
holds<Same<typeof one, Observable<Block<'source' | 'maxima'>>>>();
one.pipe(cells());

// error: MissingStep<"shape">
source.pipe(branch({ own: steps(maxima(), shape()), bare: maxima() }), ofShapes);

// error: MissingStep<"maxima">
source.pipe(branch({ own: steps(maxima(), shape()), bare: removeBackground() }), cells());

// error: MissingStep<"maxima">
source.pipe(branch({ early: shape(), late: steps(maxima(), shape()) }));

const channels = blocks(volume, { also: { nuclei: volume } });
holds<Same<typeof channels, Observable<Block<'source' | 'nuclei'>>>>();
channels.pipe(outline, maxima(), cells());

// error: MissingStep<"nuclei">
source.pipe(outline, maxima(), cells());

// What a caller asks for does not make blocks have a channel that they were not given.
declare function takesSource(from: Observable<Block<'source'>>): void;
takesSource(blocks(volume, { size: 8 }));

// error: 'nucleus' does not exist
blocks(volume, { also: { nucleus: volume } });
