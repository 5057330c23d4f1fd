import type { FloodRules, Method, NativeDetector } from '../native/index.js';
import type { StepPlan } from './block.js';
import { integerColumns } from './cellTable.js';
import type { ChainImages, ImageNames, ImageNode } from './chainImages.js';
import { checkColumnsOf, type ExtraColumn, extraColumnNames } from './columns.js';
import { OptionError } from './errors.js';
import { type Halo, noHalo, perAxis, type Zyx, zyx } from './geometry.js';
import type { ImageSink } from './imageSink.js';
import type { CellWindows, MeasureFunction } from './userMeasure.js';
import type { Dtype } from './volume.js';

interface MaximaOptions {
  readonly size: Zyx;
  readonly threshold: number | null;
  readonly plateaus: 'first' | 'all';
  readonly hMax: number | null;
  readonly reach: Zyx;
}
interface ShapeOptions {
  readonly threshold: number | null;
}
interface IntensityOptions {
  readonly method: Method;
  readonly measure: readonly string[];
  readonly radius: number;
}

/** A window around each maximum that a user's function measures: a column of the table. */
export interface WindowColumn {
  /** The step, as errors name it. */
  readonly step: string;
  readonly column: string;
  readonly image: number;
  readonly dtype: Dtype;
  readonly window: Zyx;
  readonly call: MeasureFunction<CellWindows>;
}

/** The threshold that stands for null: every value is above it. */
const BELOW_ALL = Number.NEGATIVE_INFINITY;

/** One table that a pipeline gives: what the native detector is told, and what its rows mean. */
export class BranchPlan {
  /** Names of the table's columns, and for each its place in a native row. */
  readonly columns: readonly string[];
  readonly places: readonly number[];
  /** Numbers of a native row. */
  readonly rowWidth: number;
  /** Where a row has its cell's number and at last its label; null where no column is of it. */
  readonly labelPlace: number | null;
  /** Where the image of its labels goes. */
  readonly labelSinks: readonly ImageSink[];
  readonly maskThreshold: number;
  readonly rules: FloodRules;
  readonly detector: NativeDetector;
  readonly windows: readonly WindowColumn[];

  constructor(
    /** Empty where the pipeline has no branches. */
    readonly name: string,
    readonly plans: readonly StepPlan[],
    images: ChainImages,
    extras: readonly ExtraColumn[] = [],
  ) {
    const find = (adds: string) => plans.find((plan) => (plan.adds as readonly string[]).includes(adds));
    const options = <T>(adds: string) => find(adds)?.options as T | undefined;
    const names = images.follow(plans);
    const place = (adds: string) => plans.indexOf(find(adds) as StepPlan);
    if (place('shape') >= 0 && place('intensity') >= 0 && place('shape') > place('intensity')) {
      throw new OptionError(
        'shape',
        'its place in the pipeline',
        'before intensity, which measures shapes',
        'after it',
      );
    }
    const { size, threshold, plateaus, hMax, reach } = options<MaximaOptions>('maxima') as MaximaOptions;
    const shape = options<ShapeOptions>('shape');
    const measuring = options<IntensityOptions>('intensity');
    const { method = 'max', measure = [] } = measuring ?? {};
    const radius = shape || !measuring ? null : measuring.radius;
    const image = names.searched;
    const measured = measure.map((name) => names.of(name));
    // Whether a voxel is saturated is told by the source, so that has to come along.
    const told = extras.includes('flags') ? [...measured, names.of('source')] : measured;
    const kept = [image, ...new Set(told.filter((node) => node !== image))];
    images.ask(image, find('maxima')?.halo ?? noHalo);
    const around = perAxis(Math.ceil(radius ?? 0));
    for (const node of kept) images.ask(node, { before: around, after: around });
    this.windows = windowColumns(plans, names, images);

    const fixed = shape ? ['x', 'y', 'z', 'size'] : ['x', 'y', 'z'];
    checkColumnsOf('cells', extras, shape !== undefined);
    this.labelSinks = labelSinksOf(plans);
    const channels = shape || radius !== null ? kept.length : 0;
    const values = fixed.length + channels;
    const { end, places } = placesOf(extras, values + this.windows.length);
    const extraColumns = extras.flatMap((extra) => (extra === 'volume' ? [] : extraColumnNames[extra]));
    const named = [...measure, ...this.windows.map(({ column }) => column)];
    const taken = named.find((name) => integerColumns.has(name) || extraColumns.includes(name));
    if (taken !== undefined) throw new OptionError('cells', 'a measured column', 'of a name that no other has', taken);
    this.columns = [...fixed, ...named, ...extraColumns];
    this.places = [
      ...fixed.keys(),
      ...measured.map((node) => fixed.length + kept.indexOf(node)),
      ...this.windows.map((_, at) => values + at),
      ...extraColumns.map((column) => places.get(column) as number),
    ];
    this.rowWidth = end;
    this.labelPlace = places.get('label') ?? null;
    this.maskThreshold = shape?.threshold ?? BELOW_ALL;
    this.rules = {
      dtypes: kept.map((node) => images.nodes[node]?.dtype as Dtype),
      method,
      mergePlateaus: plateaus === 'first',
      seedValues: this.windows.length,
      centroid: extras.includes('centroid'),
      box: extras.includes('box'),
      flags: extras.includes('flags'),
      saturatedChannel: extras.includes('flags') ? kept.indexOf(names.of('source')) : -1,
      voxels: this.labelSinks.length > 0,
      voxelChannels: [],
      reserved: this.labelPlace === null ? 0 : 1,
    };
    this.detector = {
      image,
      channels: kept.slice(1),
      windowZ: size.z,
      windowY: size.y,
      windowX: size.x,
      firstOfEquals: plateaus === 'first',
      // A maximum outside the mask is no cell, so with a shape it need not be looked for there; but it is saved.
      seedThreshold: Math.max(threshold ?? BELOW_ALL, savesMaxima(plans) ? BELOW_ALL : this.maskThreshold),
      prominence: hMax === null ? null : { height: hMax, reachZ: reach.z, reachY: reach.y, reachX: reach.x },
      radius,
      around: this.windows.map(({ image, window: { z, y, x } }) => ({ image, window: [z, y, x] })),
      shape: shape !== undefined,
      maskThreshold: this.maskThreshold,
      ...this.rules,
    };
  }
}

/** Where a native row has the numbers of further columns, by the columns' names, and where it ends. */
function placesOf(extras: readonly ExtraColumn[], from: number): { end: number; places: Map<string, number> } {
  // The order is native code's own; what it leaves to be filled comes last.
  const there = (['centroid', 'box', 'flags', 'label'] as const).filter((extra) => extras.includes(extra));
  const columns = there.flatMap((extra) => extraColumnNames[extra]);
  return { end: from + columns.length, places: new Map(columns.map((column, at) => [column, from + at])) };
}

function windowColumns(plans: readonly StepPlan[], names: ImageNames, images: ChainImages): WindowColumn[] {
  return plans.flatMap(({ name, options, measured }) => {
    if (!measured?.window) return [];
    const { column, of } = options as { readonly column: string; readonly of: string };
    const { window, call } = measured;
    const image = names.of(of);
    images.ask(image, reachOf(window));
    const { dtype } = images.nodes[image] as ImageNode;
    return [{ step: name, column, image, dtype, window, call }];
  });
}

/** What a window around a voxel reads before and behind it. */
function reachOf(window: Zyx): Halo {
  const before = zyx((a) => Math.floor(window[a] / 2));
  return { before, after: zyx((a) => window[a] - 1 - before[a]) };
}

/** Whether a step saves the maxima. */
export function savesMaxima(plans: readonly StepPlan[]): boolean {
  return plans.some(({ name, options }) => name === 'save' && options.step === 'maxima');
}

/** Where steps save the labels of cells, which are no image of the chain. */
export function labelSinksOf(plans: readonly StepPlan[]): ImageSink[] {
  const saves = plans.filter(({ name, options }) => name === 'save' && options.step === 'shape');
  return saves.map(({ options }) => options.sink as ImageSink);
}
