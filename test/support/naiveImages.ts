/** The images of a chain, voxel by voxel as SPEC.md says: for `naive`, and as plain. */
import { FIXED_IMAGES, type FixedImage } from '../../core/block.js';
import type { Zyx } from '../../core/geometry.js';
import type { Voxels } from '../../core/volume.js';
import { dog, type Equalization, equalize, type Gaussians } from './naiveFilters.js';
import { weighed } from './naiveStep.js';
import type { Weighing } from './userFunctions.js';

/** The greatest finite float32, which greater results become. */
const MOST_FLOAT = (2 - 2 ** -23) * 2 ** 127;

export interface Background {
  readonly size: { readonly y: number; readonly x: number };
  /** The specification's defaults where they are left out: a disk, and the morphological opening. */
  readonly form?: 'disk' | 'rectangle';
  readonly opening?: 'symmetric' | 'clearmap';
}

/** Pixels of a whole plane in memory, y, x order. */
export interface Plane {
  readonly data: Float64Array | Float32Array;
  readonly size: { readonly y: number; readonly x: number };
}

export interface Illumination {
  readonly flatfield: Plane;
  readonly background?: Plane;
  /** The specification's default where it is left out: the mean. */
  readonly scaling?: number | 'mean' | 'max' | null;
}

/** The steps of a chain that make images; what is null or left out is skipped. */
export interface ImageSteps {
  readonly correctIllumination?: Illumination | null;
  readonly removeBackground: Background | null;
  readonly equalize?: Equalization | null;
  readonly dog?: Gaussians | null;
  /** A step of the user's own, `smooth`, and the fixed image that it comes right behind, or behind the place of. */
  readonly smooth?: (Weighing & { readonly behind: FixedImage }) | null;
}

/** What each step makes of the image before it, or null where it is skipped. */
const makers: Readonly<
  Record<Exclude<FixedImage, 'source'>, (image: Voxels, size: Zyx, steps: ImageSteps) => Voxels | null | undefined>
> = {
  illumination: (image, size, { correctIllumination: asked }) => asked && correctIllumination(image, size, asked),
  background: (image, size, { removeBackground: asked }) => asked && background(image, size, asked),
  equalized: (image, size, { equalize: asked }) => asked && equalize(image, size, asked),
  dog: (image, size, { dog: asked }) => asked && dog(image, size, asked),
};

/** Images that a chain of the tests may have. */
export type ImageName = FixedImage | 'smooth';

/** What each name stands for; `smooth`, which has no place of its own, only where it is made. */
export type Images = Readonly<Record<FixedImage, Voxels>> & { readonly smooth?: Voxels };

export interface Walked {
  /** The one made last, in which maxima are searched. */
  readonly searched: Voxels;
  /** What each name stands for. */
  readonly images: Images;
  /** What each step that is not skipped has to make, and of which image. */
  readonly made: Partial<Record<ImageName, { readonly image: Voxels; readonly from: Voxels }>>;
}

/** What the chain sees of a source: -0 reads as 0. */
export function asRead(data: Voxels): Voxels {
  return data.map((value) => (value === 0 ? 0 : value));
}

/**
 * The images of a chain. Where a run has made one it may be given: it then stands for its step's, and the steps after it are held to
 * what they make of it.
 */
export function imagesOf(
  { data, size }: { readonly data: Voxels; readonly size: Zyx },
  steps: ImageSteps,
  given: Partial<Images> = {},
): Walked {
  let last = asRead(data);
  const images: Partial<Record<ImageName, Voxels>> = {};
  const made: Partial<Record<ImageName, { readonly image: Voxels; readonly from: Voxels }>> = {};
  let skipped: FixedImage[] = [];
  const add = (name: ImageName, image: Voxels) => {
    made[name] = { image, from: last };
    last = given[name] ?? image;
    images[name] = last;
  };
  for (const name of FIXED_IMAGES) {
    const image = name === 'source' ? last : makers[name](last, size, steps);
    if (!image) skipped.push(name);
    else {
      // A step that was skipped means its input, as late as it could have come.
      for (const earlier of skipped) images[earlier] = last;
      skipped = [];
      if (name === 'source') images.source = last;
      else add(name, image);
    }
    if (steps.smooth?.behind === name) add('smooth', asRead(weighed([last], size, steps.smooth)));
  }
  for (const name of skipped) images[name] = last;
  return { searched: last, images: images as Images, made };
}

/** ((I - B) / (F - B)) s per plane, left to right in float64, rounded once: integers half to even, and saturated. */
export function correctIllumination(
  data: Voxels,
  size: Zyx,
  { flatfield, background: dark, scaling = 'mean' }: Illumination,
): Voxels {
  const pixels = size.y * size.x;
  const flat = flatfield.data;
  let total = 0;
  let most = Number.NEGATIVE_INFINITY;
  for (const value of flat) {
    total += value;
    most = Math.max(most, value);
  }
  const factor = scaling === 'mean' ? total / pixels : scaling === 'max' ? most : (scaling ?? 1);
  return data.map((value, at) => {
    const offset = dark ? (dark.data[at % pixels] as number) : 0;
    const corrected = ((value - offset) / ((flat[at % pixels] as number) - offset)) * factor;
    // The sum has no -0, also where a float32 has no smaller number.
    if (data instanceof Float32Array) return Math.max(-MOST_FLOAT, Math.min(MOST_FLOAT, Math.fround(corrected))) + 0;
    return Math.min(Math.max(halfToEven(corrected), 0), data instanceof Uint8Array ? 255 : 65535);
  });
}

function halfToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest === 0.5) return below % 2 === 0 ? below : below + 1;
  return rest < 0.5 ? below : below + 1;
}

/** I - min(I, open(I)) per plane: erosion by the element, then dilation by its reflection or itself, inside the plane. */
export function background(data: Voxels, size: Zyx, asked: Background): Voxels {
  const offsets = elementOf(asked);
  const turned = asked.opening === 'clearmap' ? 1 : -1;
  const out = data.slice();
  const pixels = size.y * size.x;
  const inside = (y: number, x: number) => y >= 0 && x >= 0 && y < size.y && x < size.x;
  for (let first = 0; first < data.length; first += pixels) {
    const eroded = data.slice(first, first + pixels);
    for (let y = 0; y < size.y; y++)
      for (let x = 0; x < size.x; x++) {
        let least = Number.POSITIVE_INFINITY;
        for (const { dy, dx } of offsets)
          if (inside(y + dy, x + dx)) least = Math.min(least, data[first + (y + dy) * size.x + x + dx] as number);
        eroded[y * size.x + x] = least;
      }
    for (let y = 0; y < size.y; y++)
      for (let x = 0; x < size.x; x++) {
        let opened = Number.NEGATIVE_INFINITY;
        for (const { dy, dx } of offsets) {
          const [fromY, fromX] = [y + turned * dy, x + turned * dx];
          if (inside(fromY, fromX)) opened = Math.max(opened, eroded[fromY * size.x + fromX] as number);
        }
        // The array rounds the difference, once, to its own type.
        const source = data[first + y * size.x + x] as number;
        out[first + y * size.x + x] = source - Math.min(source, opened);
      }
  }
  return out;
}

function elementOf({ size, form = 'disk' }: Background): { dy: number; dx: number }[] {
  const along = (extent: number) =>
    Array.from({ length: extent }, (_, i) => {
      const offset = i - Math.floor(extent / 2);
      return { offset, reach: (offset + (extent % 2 === 0 ? 0.5 : 0)) / (extent - Math.floor(extent / 2)) };
    });
  return along(size.y).flatMap((y) =>
    along(size.x)
      .filter((x) => form === 'rectangle' || y.reach * y.reach + x.reach * x.reach < 1)
      .map((x) => ({ dy: y.offset, dx: x.offset })),
  );
}
