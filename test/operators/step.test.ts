/** What the user's own step takes, refuses and plans, before anything runs. */
import test from 'ava';
import type { StepPlan } from '../../core/block.js';
import { OptionError } from '../../core/errors.js';
import { type InlineStepOptions, step } from '../../operators/step.js';
import { weigh } from '../support/userFunctions.js';

const run = weigh;
const module = new URL('../support/userFunctions.js', import.meta.url);
const somewhere = "a file: or data: URL, such as new URL('./smooth.js', import.meta.url), or an absolute path";

/** Calls it as someone without a compiler would. */
function plainly(name: unknown, options?: unknown): StepPlan {
  return step(name as never, options as InlineStepOptions<never>).plans[0] as StepPlan;
}

const circle: Record<string, unknown> = {};
circle.itself = circle;

test('a name that cannot be is refused at once', (t) => {
  for (const name of ['', '1st', 'a-b', 'a b', '_a', 'größe', '__proto__', null, 5, undefined]) {
    const shown = typeof name === 'string' ? `'${name}'` : String(name);
    const message = `step: name must be of letters, digits and '_', a letter first, got ${shown}`;
    t.throws(() => plainly(name, { halo: 0, run }), { instanceOf: OptionError, message });
  }
  const results = ['source', 'illumination', 'background', 'equalized', 'dog', 'maxima', 'shape', 'intensity'];
  const columns = ['x', 'y', 'z', 'size', 'volume', 'label', 'flags', 'centroid_x', 'box_z1'];
  for (const name of [...results, ...columns]) {
    const message = `step: name must be other than those of results and columns, got '${name}'`;
    t.throws(() => plainly(name, { halo: 0, run }), { instanceOf: OptionError, message });
  }
  for (const name of ['smooth', 'Nuclei2', 'a_b', 'sizes', 'box_w'])
    t.is(plainly(name, { halo: 0, run }).name, `step ${name}`);
});

test('options that cannot be are refused at once, in one line that names what is wrong', (t) => {
  const refusals: readonly (readonly [unknown, string])[] = [
    [undefined, 'options must be an object of halo, dtype, with, options, run, module, export, got undefined'],
    [{ run }, 'halo must be an integer in 0..255, got undefined'],
    [{ halo: -1, run }, 'halo must be an integer in 0..255, got -1'],
    [{ halo: 256, run }, 'halo must be an integer in 0..255, got 256'],
    [{ halo: { z: 0, y: 1.5, x: 0 }, run }, 'halo.y must be an integer in 0..255, got 1.5'],
    [{ halo: { z: 0, y: 1 }, run }, 'halo.x must be an integer in 0..255, got undefined'],
    [{ halo: { z: 0, y: 1, x: 1, t: 1 }, run }, "halo has no 't', did you mean 'z'?"],
    [{ halo: 1, run, dtype: 'int16' }, "dtype must be 'uint8', 'uint16' or 'float32', got 'int16'"],
    [{ halo: 1, run, dtype: null }, "dtype must be 'uint8', 'uint16' or 'float32', got null"],
    [{ halo: 1 }, 'either run or module must be given, got neither'],
    [{ halo: 1, run, module }, 'either run or module must be given, got both'],
    [{ halo: 1, run: 'weigh' }, "run must be a function, got 'weigh'"],
    [{ halo: 1, run, export: 'weigh' }, "export must be left out without module, got 'weigh'"],
    [{ halo: 1, module, export: 5 }, 'export must be the name of an export, got 5'],
    [{ halo: 1, module: './weigh.js' }, `module must be ${somewhere}, got './weigh.js'`],
    [{ halo: 1, module: 'weigh' }, `module must be ${somewhere}, got 'weigh'`],
    [
      { halo: 1, module: 'https://example.org/weigh.js' },
      `module must be ${somewhere}, got 'https://example.org/weigh.js'`,
    ],
    [{ halo: 1, module: 7 }, `module must be ${somewhere}, got 7`],
    [{ halo: 1, run, with: 'nuclei' }, "with must be a list of images, got 'nuclei'"],
    [{ halo: 1, run, with: [3] }, 'with[0] must be the name of an image, got 3'],
    [{ halo: 1, run, with: ['source', 'maxima'] }, "with[1] must be the name of an image, got 'maxima'"],
    [{ halo: 1, run, with: ['smooth'] }, "with[0] must be another image than the step makes, got 'smooth'"],
    [{ halo: 1, run, with: ['source', 'source'] }, "with[1] must be named once, got 'source'"],
    [{ halo: 1, run, options: () => 1 }, 'options must be what JSON can say, got [Function: options]'],
    [{ halo: 1, run, options: { by: undefined } }, 'options must be what JSON can say, got { by: undefined }'],
    [
      { halo: 1, run, options: { at: [new Date(0)] } },
      'options must be what JSON can say, got { at: [ 1970-01-01T00:00:00.000Z ] }',
    ],
    [{ halo: 1, run, options: [Number.NaN] }, 'options must be what JSON can say, got [ NaN ]'],
    [{ halo: 1, run, options: 5n }, 'options must be what JSON can say, got 5n'],
    [{ halo: 1, run, options: new Uint8Array(1) }, 'options must be what JSON can say, got Uint8Array(1) [ 0 ]'],
    [{ halo: 1, run, options: circle }, 'options must be what JSON can say, got <ref *1> { itself: [Circular *1] }'],
    [{ halo: 1, Run: run }, "has no option 'Run', did you mean 'run'?"],
  ];
  for (const [options, problem] of refusals) {
    const message = `step smooth: ${problem}`;
    t.throws(() => plainly('smooth', options), {
      instanceOf: OptionError,
      message,
    });
  }
});

test('the plan says what the step adds, needs, reads and runs', (t) => {
  const options = { by: [1, { deep: null }] };
  const plan = plainly('smooth', {
    halo: { x: 3, y: 2, z: 1 },
    dtype: 'float32',
    with: ['dog', 'nuclei'],
    options,
    run,
  });
  t.deepEqual([plan.adds, plan.needs, plan.dtype], [
    ['smooth'],
    ['source', 'nuclei'],
    'float32',
  ] as unknown as (typeof plan.adds)[]);
  t.deepEqual(plan.halo, { before: { z: 1, y: 2, x: 3 }, after: { z: 1, y: 2, x: 3 } });
  t.is(
    JSON.stringify(plan.options),
    '{"halo":{"z":1,"y":2,"x":3},"with":["dog","nuclei"],"options":{"by":[1,{"deep":null}]},"dtype":"float32","run":"weigh"}',
  );
  t.deepEqual(plan.external, { code: run, with: ['dog', 'nuclei'], options });
  options.by.push(2);
  t.deepEqual(plan.external?.options, { by: [1, { deep: null }] }, 'what is changed later does not count');
  const bare = plainly('smooth', { halo: 0, run });
  t.false('dtype' in bare);
  t.deepEqual(bare.external, { code: run, with: [], options: undefined });
});

test('a module may be a URL, its text, or an absolute path', (t) => {
  const code = (given: object) => plainly('smooth', { halo: 0, ...given }).external?.code;
  for (const place of [module, module.href, module.pathname]) {
    t.deepEqual(code({ module: place }), { module: module.href, export: 'default' });
  }
  const text = 'data:text/javascript,export default () => {}';
  t.deepEqual(code({ module: text, export: 'weigh' }), { module: new URL(text).href, export: 'weigh' });
});
