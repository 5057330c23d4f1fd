import type { NativeImage, NativeStep } from '../native/index.js';
import type { AnyBlock } from './block.js';
import type { Made } from './chainImages.js';
import { OptionError } from './errors.js';
import { AXES, type Zyx } from './geometry.js';
import { illuminationOf } from './illumination.js';
import type { Volume } from './volume.js';

/** What the native chain of a block is told of how an image is made. */
export function nativeStep(
  made: Made,
  block: AnyBlock,
): Pick<NativeImage, 'from' | 'planesBefore' | 'planesAfter' | 'step'> {
  const { by, from } = made;
  const { before, after } = by.halo;
  const kind = by.external ? external : stepKinds[by.name];
  if (!kind) throw new TypeError(`${by.name}: there is no such step that makes an image`);
  return { from, planesBefore: before.z, planesAfter: after.z, step: kind(made, block) };
}

interface BackgroundOptions {
  readonly size: { readonly y: number; readonly x: number };
  readonly form: 'disk' | 'rectangle';
  readonly opening: 'symmetric' | 'clearmap';
}

interface DogOptions {
  readonly size: Zyx;
  readonly sigma: Zyx;
  readonly sigma2: Zyx;
}

interface EqualizeOptions {
  readonly percentile: readonly [number, number];
  readonly maxValue: number;
  readonly window: Zyx;
  readonly spacing: Zyx;
  readonly interpolate: 0 | 1;
  readonly mask?: Volume;
}

/** A user's step has no kernel. */
const external = ({ others }: Made): NativeStep => ({ kind: 'external', others });

/** The kernel of each step, by the step's name. */
const stepKinds: Readonly<Record<string, (made: Made, block: AnyBlock) => NativeStep>> = {
  removeBackground: ({ by }) => {
    const { size, form, opening } = by.options as unknown as BackgroundOptions;
    return { kind: 'opening', sizeY: size.y, sizeX: size.x, disk: form === 'disk', reflected: opening === 'symmetric' };
  },
  dog: ({ by }) => {
    const { size, sigma, sigma2 } = by.options as unknown as DogOptions;
    return { kind: 'dog', size: bare(size), sigma: bare(sigma), sigma2: bare(sigma2) };
  },
  correctIllumination: ({ by }, { volume }) => ({ kind: 'illumination', ...illuminationOf(by, volume.size) }),
  equalize: ({ by, others }, { volume }) => {
    if (volume.size.z === null) throw new OptionError('equalize', `the depth of ${volume.id}`, 'known', 'none yet');
    const {
      percentile,
      maxValue,
      window,
      spacing,
      interpolate,
      mask: tissue,
    } = by.options as unknown as EqualizeOptions;
    if (tissue && AXES.some((a) => tissue.size[a] !== volume.size[a])) {
      throw new OptionError('equalize', `mask ${tissue.id}`, `of the extent of ${volume.id}`, tissue.size);
    }
    const [low, high] = percentile;
    return {
      ...{ kind: 'equalize', low, high, maxValue, nearest: interpolate === 0, mask: others[0] ?? -1 },
      window: bare(window),
      spacing: bare(spacing),
    };
  },
};

/** Axis by axis, the slowest first, as native code takes it. */
function bare({ z, y, x }: Zyx): readonly [number, number, number] {
  return [z, y, x];
}
