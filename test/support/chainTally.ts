/** What a chain of any steps reached, and what a property over such chains has to reach. */
import { AXES, type Zyx } from '../../core/geometry.js';
import { type Chain, METHODS, type Truth } from './naive.js';
import type { Images } from './naiveImages.js';
import { dtypeOf } from './values.js';

const dtypes = ['uint8', 'uint16', 'float32'] as const;
const inputs = {
  illumination: ['source', ...dtypes],
  background: ['illumination', ...dtypes],
  equalized: ['background', ...dtypes],
  dog: ['equalized', ...dtypes],
} as const;

export function reachedBy(chain: Chain, truth: Truth, images: Images, size: Zyx): string[] {
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
    const of = `of ${dtypeOf(images.dog)}`;
    add(`hMax that drops a maximum ${of}`, truth.dropped > 0);
    add(`a reach that cuts a region ${of}`, truth.cutByReach > 0);
    add('hMax and spheres', shape === null);
  }
  if (shape === null) {
    const far = Math.floor(radius);
    const dtype = dtypeOf(images.dog);
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
  ...['source', ...Object.keys(inputs)].map((name) => `saved: ${name}`),
];
