/** What a chain of any steps reached, and what a property over such chains has to reach. */
import { AXES, type Zyx } from '../../core/geometry.js';
import type { Voxels } from '../../index.js';
import { ASKED_COLUMNS } from './labelTruth.js';
import { type Chain, METHODS, type Truth } from './naive.js';
import type { Walked } from './naiveImages.js';
import { dtypeOf } from './values.js';

const dtypes = ['uint8', 'uint16', 'float32'] as const;
const inputs = {
  illumination: ['source', ...dtypes],
  background: ['illumination', ...dtypes],
  equalized: ['background', ...dtypes],
  dog: ['equalized', ...dtypes],
} as const;

export function reachedBy(chain: Chain, truth: Truth, { images, searched }: Walked, size: Zyx): string[] {
  const {
    correctIllumination: light,
    removeBackground,
    equalize,
    dog,
    maxima,
    shape,
    radius = 3,
    method = 'max',
  } = chain;
  const steps = { illumination: light, background: removeBackground, equalized: equalize, dog };
  const asked = (Object.keys(inputs) as (keyof typeof inputs)[]).filter((name) => steps[name]);
  const reached = asked.map((name) => `${name} of ${dtypeOf(images[inputs[name][0]])}`);
  const add = (what: string, is: boolean | undefined) => {
    if (is) reached.push(what);
  };
  add('all steps', asked.length === 4);
  add('a dark plane', light?.background !== undefined);
  if (light) reached.push(`scaling: ${typeof light.scaling === 'number' ? 'a number' : light.scaling}`);
  if (equalize) reached.push(`interpolate: ${equalize.interpolate}`);
  if (dog) {
    for (const a of AXES) reached.push(`dog: ${dog.size[a] % 2 ? 'odd' : 'even'}`);
    add(
      'reflected twice',
      AXES.some((a) => dog.size[a] > 2 * size[a] + 1),
    );
    add('sigmas given', dog.sigma !== undefined || dog.sigma2 !== undefined);
  }
  if (maxima.hMax !== undefined) {
    const of = `of ${dtypeOf(searched)}`;
    add(`hMax that drops a maximum ${of}`, truth.dropped > 0);
    add(`a reach that cuts a region ${of}`, truth.cutByReach > 0);
    add('hMax and spheres', shape === null);
  }
  const { smooth, near, own, measure } = chain;
  /** Of channels the type is not known here. */
  const typeOf = (name: string) => dtypeOf((images as Readonly<Record<string, Voxels>>)[name] ?? images.source);
  if (smooth) {
    reached.push(`a user's step behind ${smooth.behind} that makes ${smooth.dtype}`);
    add("a user's step measured", measure.includes('smooth'));
    add("maxima of a user's step", searched === images.smooth);
  }
  if (own) {
    reached.push(`voxels of ${typeOf(own.of)}`);
    add('voxels of several cells', truth.cells.length > 1);
  }
  if (near) {
    reached.push(`windows ${shape === null ? 'around maxima' : 'around cells'}`, `windows of ${typeOf(near.of)}`);
    const beyond = ({ at }: { at: Zyx }) => AXES.some((a) => at[a] - Math.floor(near.window[a] / 2) < 0);
    add("windows beyond the volume's edge", truth.cells.some(beyond));
    add('windows of a channel', near.of === 'nuclei' || near.of === 'axons');
    add("windows of a user's step", near.of === 'smooth');
    for (const a of AXES) reached.push(`windows: ${near.window[a] % 2 ? 'odd' : 'even'}`);
  }
  if (shape === null) {
    const far = Math.floor(radius);
    const dtype = dtypeOf(searched);
    reached.push(`spheres in ${dtype}`, `spheres: ${method} in ${dtype === 'float32' ? 'floats' : 'integers'}`);
    add('a fractional radius', !Number.isInteger(radius));
    const clipped = ({ at }: { at: Zyx }) => AXES.some((a) => at[a] < far || at[a] + far >= size[a]);
    add("spheres clipped by the volume's edge", truth.cells.some(clipped));
  }
  return reached;
}

export const wantedOfChains: readonly string[] = [
  ...Object.entries(inputs).flatMap(([name, [, ...types]]) => types.map((dtype) => `${name} of ${dtype}`)),
  'all steps',
  'a dark plane',
  ...['mean', 'max', 'null', 'a number'].map((how) => `scaling: ${how}`),
  'interpolate: 0',
  'interpolate: 1',
  'dog: even',
  'dog: odd',
  'reflected twice',
  'sigmas given',
  ...dtypes.flatMap((dtype) => [`hMax that drops a maximum of ${dtype}`, `a reach that cuts a region of ${dtype}`]),
  'hMax and spheres',
  ...dtypes.map((dtype) => `spheres in ${dtype}`),
  ...METHODS.flatMap((method) => [`spheres: ${method} in floats`, `spheres: ${method} in integers`]),
  'a fractional radius',
  "spheres clipped by the volume's edge",
  ...['source', ...Object.keys(inputs), 'smooth', 'maxima', 'shape'].map((name) => `saved: ${name}`),
  ...['source', ...Object.keys(inputs)].flatMap((name) =>
    dtypes.map((dtype) => `a user's step behind ${name} that makes ${dtype}`),
  ),
  "a user's step measured",
  "maxima of a user's step",
  'windows around maxima',
  'windows around cells',
  ...dtypes.map((dtype) => `windows of ${dtype}`),
  "windows beyond the volume's edge",
  'windows of a channel',
  "windows of a user's step",
  'windows: odd',
  'windows: even',
  ...dtypes.map((dtype) => `voxels of ${dtype}`),
  'voxels of several cells',
  ...ASKED_COLUMNS.map((name) => `column: ${name}`),
];
