import type { StepPlan } from './block.js';
import { OptionError } from './errors.js';
import { PlaneField, type PlaneSize } from './planeField.js';

/** The options of the step `correctIllumination`. */
export interface IlluminationPlan {
  readonly flatfield: PlaneField;
  readonly background: PlaneField | null;
  /** A number above 0, null for 1, or what of the flat field it is. */
  readonly scaling: number | 'mean' | 'max' | null;
}

/** What native code is told: `(I - background) / (flatfield - background) * scaling`, a value a pixel [y, x], x fastest. */
export interface Illumination {
  readonly flatfield: Float64Array;
  /** Null: 0 everywhere. */
  readonly background: Float64Array | null;
  readonly scaling: number;
}

const where = 'correctIllumination';
/** What was made of a step for planes of one extent, since every block asks for the same. */
const made = new WeakMap<StepPlan, { readonly plane: PlaneSize; readonly illumination: Illumination }>();

/**
 * What a step `correctIllumination` does to planes of this extent.
 *
 * @throws {OptionError} if a field is not of their extent, or the flat field's mean or maximum is no scaling
 */
export function illuminationOf(plan: StepPlan, plane: PlaneSize): Illumination {
  const known = made.get(plan);
  if (known?.plane.y === plane.y && known.plane.x === plane.x) return known.illumination;
  checkIllumination(plan, plane);
  const { flatfield, background, scaling } = optionsOf(plan);
  const flat = flatfield.over(plane);
  const illumination: Illumination = {
    flatfield: flat,
    background: background?.over(plane) ?? null,
    scaling: scalingOf(scaling, flat),
  };
  made.set(plan, { plane: { y: plane.y, x: plane.x }, illumination });
  return illumination;
}

/**
 * Checks that the fields of a step `correctIllumination` are of the extent of these planes; costs nothing.
 *
 * @throws {OptionError} if one is not
 */
export function checkIllumination(plan: StepPlan, plane: PlaneSize): void {
  const { flatfield, background } = optionsOf(plan);
  for (const [option, field] of Object.entries({ flatfield, background })) {
    if (!field || field.fits(plane)) continue;
    throw new OptionError(where, option, `of ${extentText(plane)}, as the volume's planes`, extentText(field.size));
  }
}

/**
 * Checks what can be without a volume: whether the fields have one extent, and F - B is above 0 and finite everywhere.
 *
 * @throws {OptionError} that names the first pixel, in y, x order, where it is not
 */
export function checkFields(flatfield: PlaneField, background: PlaneField | null): void {
  const height = flatfield.size.y ?? background?.size.y ?? 1;
  const width = flatfield.size.x ?? background?.size.x ?? 1;
  if (background && !background.fits({ y: height, x: width })) {
    const expected = `of ${extentText(flatfield.size)}, as the flat field`;
    throw new OptionError(where, 'background', expected, extentText(background.size));
  }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const range = flatfield.at(y, x) - (background?.at(y, x) ?? 0);
      if (range > 0 && range < Number.POSITIVE_INFINITY) continue;
      const option = background ? 'flatfield - background' : 'flatfield';
      const expected = 'above 0 and finite everywhere';
      throw new OptionError(
        where,
        option,
        expected,
        range,
        `${option} must be ${expected}, got ${range} at y ${y}, x ${x}`,
      );
    }
  }
}

/**
 * The same step for planes of any extent, with even fields: as much work. Where it is not this step, or a branching that
 * holds it, it is the step itself.
 */
export function evenlyLit(plan: StepPlan): StepPlan {
  if (plan.branches) {
    const branches = Object.entries(plan.branches).map(([name, plans]) => [name, plans.map(evenlyLit)]);
    return { ...plan, branches: Object.fromEntries(branches) };
  }
  if (plan.name !== where) return plan;
  const even = (value: number) => new PlaneField([value], { y: null, x: null });
  const background = optionsOf(plan).background && even(0);
  return { ...plan, options: { flatfield: even(1), background, scaling: null } satisfies IlluminationPlan };
}

function scalingOf(scaling: IlluminationPlan['scaling'], flatfield: Float64Array): number {
  if (scaling === null) return 1;
  if (typeof scaling === 'number') return scaling;
  // One after another, in y, x order: the sum's last bits depend on it.
  const value =
    scaling === 'max'
      ? flatfield.reduce((a, b) => Math.max(a, b))
      : flatfield.reduce((a, b) => a + b, 0) / flatfield.length;
  if (value > 0 && value < Number.POSITIVE_INFINITY) return value;
  throw new OptionError(where, `scaling, the flat field's ${scaling},`, 'a number above 0', value);
}

function optionsOf({ options }: StepPlan): IlluminationPlan {
  return options as unknown as IlluminationPlan;
}

function extentText({ y, x }: PlaneField['size']): string {
  return [y === null ? '' : `${y} rows`, x === null ? '' : `${x} columns`].filter(Boolean).join(' and ');
}
