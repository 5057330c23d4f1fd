/** What `intensity()` may measure: any of the fixed images, and a user's own where a step of the pipe makes it. */
import { intensity, maxima, removeBackground, type Step, shape } from 'somaflow';
import { source } from './support.js';

declare module 'somaflow' {
  interface Results {
    readonly nuclei: 'voxels';
  }
}

declare const nuclei: Step<'source', 'nuclei'>;

source.pipe(nuclei, maxima(), shape(), intensity({ measure: ['source', 'nuclei'] }));

// A fixed name stands for the input of the step that was skipped.
source.pipe(maxima(), shape(), intensity({ measure: ['source', 'background', 'dog'] }));

// error: MissingStep<"nuclei">
source.pipe(removeBackground(), maxima(), shape(), intensity({ measure: ['nuclei'] }));

// error: MissingStep<"nuclei">
source.pipe(maxima(), shape(), intensity({ method: 'max', measure: ['source', 'nuclei'] }), nuclei);

// error: "backgruond"
source.pipe(maxima(), shape(), intensity({ measure: ['source', 'backgruond'] }));

// error: "maxima"
source.pipe(maxima(), shape(), intensity({ measure: ['maxima'] }));

// error: "median"
source.pipe(maxima(), shape(), intensity({ method: 'median' }));
