import type { FixedImage, Step, StepPlan } from '../core/block.js';
import { checkColumns, checkColumnsOf, type ExtraColumn, extraColumnNames } from '../core/columns.js';
import { OptionError } from '../core/errors.js';
import type { ImageSink } from '../core/imageSink.js';
import { asStep } from '../core/step.js';
import type { Volume } from '../core/volume.js';
import { type CorrectIlluminationOptions, correctIllumination } from '../operators/correctIllumination.js';
import { type DogOptions, dog } from '../operators/dog.js';
import { type EqualizeOptions, equalize } from '../operators/equalize.js';
import type { CellRanges } from '../operators/filterCells.js';
import { type IntensityOptions, intensity } from '../operators/intensity.js';
import { type MaximaOptions, maxima } from '../operators/maxima.js';
import { type RemoveBackgroundOptions, removeBackground } from '../operators/removeBackground.js';
import { save } from '../operators/save.js';
import { type ShapeOptions, shape } from '../operators/shape.js';
import { npyVolume } from '../sinks/npyVolume.js';
import type { DetectionIllumination } from './illumination.js';

/** Where the step's result is to be written: a .npy file, or a sink. */
interface Saved {
  readonly save?: string | ImageSink;
}

/** The options of `correctIllumination`, where a field may be the path of a .npy file. */
export interface IlluminationEntry extends DetectionIllumination, Saved {}

/** The options of `equalize`, where the mask may be the path of a .npy or TIFF file. */
export interface EqualizeEntry extends Omit<EqualizeOptions, 'mask'>, Saved {
  readonly mask?: string | Volume;
}

/**
 * What `detectCells` does, an entry a step. A given entry replaces the default entry; what it leaves out takes the operator's
 * default, not that of the default entry; null skips the step.
 */
export interface DetectionParameters {
  readonly correctIllumination?: IlluminationEntry | null;
  readonly removeBackground?: (RemoveBackgroundOptions & Saved) | null;
  readonly equalize?: EqualizeEntry | null;
  readonly dog?: (DogOptions & Saved) | null;
  /** Cells are around maxima, so it cannot be null. */
  readonly maxima?: MaximaOptions & Saved;
  /** Null for the centers alone, around which spheres are measured. */
  readonly shape?: (ShapeOptions & Saved) | null;
  /** Without shapes over spheres of its `radius`, in voxels. */
  readonly intensity?: IntensityOptions<FixedImage> | null;
  /** Ranges of values by column; what is outside of any is left out of the table. */
  readonly filterCells?: CellRanges | null;
  /** Further columns of the table, as `cells` has them. */
  readonly columns?: readonly ExtraColumn[] | null;
}

/** Parameters with every entry. */
export type WholeParameters = Required<DetectionParameters>;

/** The same with what paths name in place of the paths, but for files that are to be written. */
export interface OpenedParameters extends Omit<WholeParameters, 'correctIllumination' | 'equalize'> {
  readonly correctIllumination: (CorrectIlluminationOptions & Saved) | null;
  readonly equalize: (EqualizeOptions & Saved) | null;
}

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
  columns: null,
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
 * The steps from blocks to cells that parameters ask for; whatever they name by a path has been opened.
 *
 * @throws {OptionError} if an option of a step is out of range, a column cannot be, or `filterCells` names one that there will not be
 */
export function chainOf(parameters: OpenedParameters): Step<'source', 'maxima'> {
  const extras = parameters.columns ?? [];
  checkColumns('detectCells', extras);
  checkColumnsOf('detectCells', extras, parameters.shape !== null);
  const columns = columnsOf(parameters);
  for (const column of Object.keys(parameters.filterCells ?? {})) {
    if (!columns.includes(column)) {
      throw new OptionError('filterCells', 'column', `one of ${columns.join(', ')}`, column);
    }
  }
  const plans: StepPlan[] = [];
  const result = <Options extends Saved>(
    name: FixedImage | 'maxima' | 'shape',
    entry: Options | null,
    operator: (options: Omit<Options, 'save'>) => { readonly plans: readonly StepPlan[] },
  ) => {
    if (!entry) return;
    const { save: sink, ...options } = entry;
    plans.push(...operator(options).plans);
    if (sink !== undefined) plans.push(...save(name, typeof sink === 'string' ? npyVolume(sink) : sink).plans);
  };
  result('illumination', parameters.correctIllumination, correctIllumination);
  result('background', parameters.removeBackground, removeBackground);
  result('equalized', parameters.equalize, equalize);
  result('dog', parameters.dog, dog);
  result('maxima', parameters.maxima, maxima);
  result('shape', parameters.shape, shape);
  if (parameters.intensity) plans.push(...intensity(parameters.intensity).plans);
  return asStep(plans);
}

/** The columns of the table; known before the run, so that what names another need not wait for its first cells. */
function columnsOf({ shape, intensity, columns }: OpenedParameters): string[] {
  const measured = intensity ? (intensity.measure ?? ['source', 'background']) : [];
  const extras = (columns ?? []).flatMap((name) => extraColumnNames[name]);
  return ['x', 'y', 'z', ...(shape ? ['size'] : []), ...measured, ...extras];
}

/** The same object, never to change, nor what it holds. */
function frozen<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) frozen(inner);
  return Object.freeze(value);
}
