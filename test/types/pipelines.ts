/**
 * Pipelines in which a step comes too early. A line `error: text` tells what the compiler has to say of the statement
 * below it; a statement without one has to compile.
 */
import { cells, intensity, maxima, removeBackground, shape } from 'somaflow';
import { source } from './support.js';

source.pipe(removeBackground({ size: 10 }), maxima({ size: 5 }), shape({ threshold: 700 }), intensity(), cells());

source.pipe(maxima(), shape(), cells());

source.pipe(maxima(), cells());

// error: MissingStep<"maxima">
source.pipe(shape({ threshold: 700 }));

// error: MissingStep<"maxima">
source.pipe(removeBackground({ size: 10 }), shape({ threshold: 700 }), maxima({ size: 5 }));

// Without shapes it is spheres that are measured.
source.pipe(removeBackground({ size: 10 }), maxima({ size: 5 }), intensity({ method: 'max', measure: ['source'] }));

// error: MissingStep<"maxima">
source.pipe(intensity({ method: 'max' }), maxima({ size: 5 }));

// error: MissingStep<"maxima">
source.pipe(cells({ memory: '1 GiB' }));

// error: MissingStep<"maxima">
source.pipe(removeBackground({ size: 10 }), cells());
