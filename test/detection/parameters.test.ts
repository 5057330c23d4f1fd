/** What `detectCells` takes and refuses, before anything is opened. */
import { join } from 'node:path';
import test from 'ava';
import { clearMapParameters, defaultParameters, detectCells, OptionError } from '../../index.js';
import { tempFolder } from '../support/temp.js';

/** Nothing is there, so whoever opens it gets a SourceError. */
const NOWHERE = '/nowhere/volume.npy';

function detect(parameters: unknown, processing: unknown): Promise<unknown> {
  return detectCells(NOWHERE, null, parameters as never, processing as never);
}

const refusedParameters: [unknown, RegExp][] = [
  [{ maxima: { treshold: 3 } }, /^detectCells: parameters\.maxima has no 'treshold', did you mean 'threshold'\?$/],
  [{ maximum: {} }, /^detectCells: parameters has no 'maximum', did you mean 'maxima'\?$/],
  [
    { removeBackground: { from: 'disk' } },
    /^detectCells: parameters\.removeBackground has no 'from', did you mean 'form'/,
  ],
  [{ removeBackground: { size: { y: 3, w: 3 } } }, /^removeBackground: size has no 'w', did you mean 'y'\?$/],
  [{ shape: { threshhold: 3 } }, /^detectCells: parameters\.shape has no 'threshhold', did you mean 'threshold'\?$/],
  [{ intensity: { measures: [] } }, /^detectCells: parameters\.intensity has no 'measures', did you mean 'measure'\?$/],
  [{ intensity: { measure: ['source', 'backgroud'] } }, /parameters\.intensity\.measure\[1\] must be .*'background'/],
  [{ intensity: { measure: 'source' } }, /parameters\.intensity\.measure must be a list of images, got 'source'$/],
  [{ intensity: { radius: 'x' } }, /^intensity: radius must be a number in 0\.\.255, got 'x'$/],
  [{ maxima: null }, /parameters\.maxima must be given/],
  [{ maxima: 5 }, /parameters\.maxima must be an object of size, threshold, plateaus, hMax, reach, save, got 5$/],
  [{ maxima: { hMax: -5 } }, /^maxima: hMax must be a finite number of at least 0, or null, got -5$/],
  [{ dog: { sise: 5 } }, /parameters\.dog has no 'sise', did you mean 'size'\?$/],
  [{ dog: {} }, /^dog: size must be/],
  [{ equalize: { mask: 5 } }, /parameters\.equalize\.mask must be a path or a volume, got 5$/],
  [{ correctIllumination: {} }, /^correctIllumination: flatfield must be/],
  [{ removeBackground: { save: 5 } }, /parameters\.removeBackground\.save must be a path or a sink, got 5$/],
  [{ shape: 700 }, /parameters\.shape must be an object of threshold, save, or null, got 700$/],
  [{ shape: { save: 5 } }, /parameters\.shape\.save must be a path or a sink, got 5$/],
  [{ columns: ['flag'] }, /^detectCells: columns has no 'flag', did you mean 'flags'\?$/],
  [{ columns: 'label' }, /^detectCells: columns must be a list of 'volume'/],
  [{ shape: null, columns: ['box'] }, /^detectCells: columns has 'box', which is about the voxels of cells/],
  [
    { filterCells: { label: 3 } },
    /^filterCells: column must be one of x, y, z, size, source, background, got 'label'$/,
  ],
  [{ filterCells: 5 }, /parameters\.filterCells must be an object with a range a column, got 5$/],
  [{ filterCells: { size: { min: 30, max: 3 } } }, /^filterCells: size\.min must be at most its max, 3, got 30$/],
  [{ filterCells: { sise: 3 } }, /^filterCells: column must be one of x, y, z, size, source, background, got 'sise'$/],
  [{ maxima: { size: 0 } }, /^maxima: size must be an integer in 1\.\.255, got 0$/],
  [{ shape: { threshold: '700' } }, /^shape: threshold must be a finite number or null, got '700'$/],
  [[], /^detectCells: parameters must be an object/],
  [null, /^detectCells: parameters must be an object/],
];

const refusedProcessing: [unknown, RegExp][] = [
  [{ thread: 3 }, /^detectCells: processing has no 'thread', did you mean 'threads'\?$/],
  [{ threads: 0 }, /threads must be an integer in 1\.\.256, got 0$/],
  [{ memory: 'much' }, /must be a number of bytes such as '512 MiB', got 'much'$/],
  [{ size: 0 }, /size must be an integer of at least 1, got 0$/],
  [{ size: { z: 1, y: 1 } }, /size\.x must be an integer of at least 1, got undefined$/],
  [{ axes: ['q'] }, /processing\.axes\[0\] must be 'z', 'y' or 'x', got 'q'$/],
  [{ sizeMin: 5, sizeMax: 2 }, /sizeMin\.z must be at most sizeMax, 2, got 5$/],
  [{ overlap: -1 }, /overlap must be an integer of at least 0, got -1$/],
  [
    { region: { start: { z: 0, y: 0, x: 0 } } },
    /processing\.region\.stop must be an object of z, y, x, got undefined$/,
  ],
  [{ progress: 5 }, /processing\.progress must be an object with next\(\), got 5$/],
  [{ signal: {} }, /processing\.signal must be an AbortSignal/],
  [{ mask: 5 }, /processing\.mask must be a path or a volume, got 5$/],
  [null, /^detectCells: processing must be an object/],
];

test('parameters that cannot be are refused before the source is looked for, naming key and nearest known one', async (t) => {
  for (const [parameters, message] of refusedParameters) {
    await t.throwsAsync(
      detect(parameters, undefined),
      { instanceOf: OptionError, message },
      JSON.stringify(parameters),
    );
  }
});

test('processing that cannot be is refused before the source is looked for, naming key and nearest known one', async (t) => {
  for (const [processing, message] of refusedProcessing) {
    await t.throwsAsync(
      detect(undefined, processing),
      { instanceOf: OptionError, message },
      JSON.stringify(processing),
    );
  }
});

test('files that are no sinks are refused before the source is looked for', async (t) => {
  const folder = await tempFolder(t);
  const out = join(folder, 'cells.csv');
  const cases: [string | string[], RegExp][] = [
    ['cells.txt', /\.csv/],
    [[out, join(folder, '.', 'cells.csv')], /sink must be files that are each named once/],
    [NOWHERE, /sink must be another file than the source/],
  ];
  for (const [sink, message] of cases) {
    await t.throwsAsync(detectCells(NOWHERE, sink), { instanceOf: OptionError, message });
  }
  const missing = join(folder, 'absent', 'cells.csv');
  await t.throwsAsync(detectCells(NOWHERE, missing), { name: 'SinkError', message: /absent/ });
});

test('what is left out, undefined or null where there is no such step is no mistake', async (t) => {
  const parameters = {
    correctIllumination: null,
    equalize: null,
    dog: undefined,
    maxima: { hMax: null },
    shape: null,
    intensity: null,
    filterCells: null,
  };
  await t.throwsAsync(detect(parameters, {}), { name: 'SourceError' });
  await t.throwsAsync(detect({ intensity: { radius: 3 } }, { threads: undefined }), { name: 'SourceError' });
});

test('the default parameters are complete and cannot be changed', (t) => {
  t.deepEqual(Object.keys(defaultParameters), [
    'correctIllumination',
    'removeBackground',
    'equalize',
    'dog',
    'maxima',
    'shape',
    'intensity',
    'filterCells',
    'columns',
  ]);
  t.throws(() => Object.assign(defaultParameters.shape as object, { threshold: 1 }), { instanceOf: TypeError });
  const measure = defaultParameters.intensity?.measure as string[];
  t.throws(() => measure.push('dog'), { instanceOf: TypeError });
});

test("ClearMap's parameters differ in the opening and the plateaus only, and may be changed", (t) => {
  const { removeBackground, maxima, ...others } = clearMapParameters();
  t.deepEqual({ ...defaultParameters, ...others }, defaultParameters);
  t.deepEqual(removeBackground, { size: 10, form: 'disk', opening: 'clearmap' });
  t.deepEqual(maxima, { size: 5, threshold: 0, plateaus: 'all' });
  t.notThrows(() => Object.assign(maxima, { threshold: 10 }));
});
