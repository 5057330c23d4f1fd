import type { FixedImage, Step, StepPlan } from '../core/block.js';
import { OptionError } from '../core/errors.js';
import { asStep } from '../core/step.js';
import type { CellRanges } from '../operators/filterCells.js';
import { type IntensityOptions, intensity } from '../operators/intensity.js';
import { type MaximaOptions, maxima } from '../operators/maxima.js';
import { type RemoveBackgroundOptions, removeBackground } from '../operators/removeBackground.js';
import { type ShapeOptions, shape } from '../operators/shape.js';

/**
 * What `detectCells` does, an entry a step. A given entry replaces the default entry; what it leaves out takes the operator's
 * default, not that of the default entry; null skips the step.
 */
export interface DetectionParameters {
  /** This version has no such step: null, or left out. */
  readonly correctIllumination?: null;
  readonly removeBackground?: RemoveBackgroundOptions | null;
  /** This version has no such step: null, or left out. */
  readonly equalize?: null;
  /** This version has no such step: null, or left out. */
  readonly dog?: null;
  /** Cells are around maxima, so it cannot be null. This version has no `hMax`, and so no use for its `reach`: null, or left out. */
  readonly maxima?: MaximaOptions & { readonly hMax?: null; readonly reach?: null };
  /** Null for the centers alone; `intensity` has to be null then. */
  readonly shape?: ShapeOptions | null;
  /** The `radius` (voxels) is that of spheres where there are no shapes, which this version does not measure over. */
  readonly intensity?: (IntensityOptions<FixedImage> & { readonly radius?: number }) | null;
  /** Ranges of values by column; what is outside of any is left out of the table. */
  readonly filterCells?: CellRanges | null;
}

/** Parameters with every entry. */
export type WholeParameters = Required<DetectionParameters>;

/** What `detectCells` does when nothing is asked; frozen. */
export const defaultParameters: WholeParameters = frozen({
  correctIllumination: null,
  removeBackground: { size: 10, form: 'disk', opening: 'symmetric' },
  equalize: null,
  dog: null,
  maxima: { size: 5, threshold: 0, plateaus: 'first' },
  shape: { threshold: 700 },
  intensity: { method: 'max', measure: ['source', 'background'] },
  filterCells: null,
});

/**
 * The parameters closest to those of ClearMap 2.x and 3.0, with its default sizes: the same centers, and sizes and intensities equal
 * in 98 % or more.
 *
 * ClearMap dilates by the element unreflected, and keeps all of several equal maxima.
 *
 * @example await detectCells('stitched.npy', 'cells.npy', { ...clearMapParameters(), shape: { threshold: 500 } })
 */
export function clearMapParameters(): WholeParameters {
  return {
    ...defaultParameters,
    removeBackground: { size: 10, form: 'disk', opening: 'clearmap' },
    maxima: { size: 5, threshold: 0, plateaus: 'all' },
  };
}

/** The parameters with the default entries where none are given. */
export function completed(parameters: DetectionParameters): WholeParameters {
  const given = Object.entries(parameters).filter(([, entry]) => entry !== undefined);
  return { ...defaultParameters, ...Object.fromEntries(given) };
}

/**
 * The steps from blocks to cells that parameters ask for.
 *
 * @throws {OptionError} if an option of a step is out of range, the shapes are missing that intensities are measured over, or
 * `filterCells` names a column that there will not be
 */
export function chainOf(parameters: WholeParameters): Step<'source', 'maxima'> {
  if (parameters.intensity && !parameters.shape) {
    const expected = 'null where shape is, since this version measures over shapes only';
    throw new OptionError('detectCells', 'parameters.intensity', expected, parameters.intensity);
  }
  const columns = columnsOf(parameters);
  for (const column of Object.keys(parameters.filterCells ?? {})) {
    if (!columns.includes(column)) {
      throw new OptionError('filterCells', 'column', `one of ${columns.join(', ')}`, column);
    }
  }
  const plans: StepPlan[] = [];
  if (parameters.removeBackground) plans.push(...removeBackground(parameters.removeBackground).plans);
  plans.push(...maxima(without(parameters.maxima, ['hMax', 'reach'])).plans);
  if (parameters.shape) plans.push(...shape(parameters.shape).plans);
  if (parameters.intensity) plans.push(...intensity(without(parameters.intensity, ['radius'])).plans);
  return asStep(plans);
}

/** The columns of the table; known before the run, so that what names another need not wait for its first cells. */
function columnsOf({ shape, intensity }: WholeParameters): string[] {
  const measured = intensity ? (intensity.measure ?? ['source', 'background']) : [];
  return ['x', 'y', 'z', ...(shape ? ['size'] : []), ...measured];
}

/** The options but for those that the operator does not know. */
function without<T extends object, Key extends keyof T>(options: T, keys: readonly Key[]): Omit<T, Key> {
  const known = Object.entries(options).filter(([key]) => !keys.includes(key as Key));
  return Object.fromEntries(known) as Omit<T, Key>;
}

/** The same object, never to change, nor what it holds. */
function frozen<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) frozen(inner);
  return Object.freeze(value);
}
