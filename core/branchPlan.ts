import type { FloodRules, Method, NativeDetector } from '../native/index.js';
import type { StepPlan } from './block.js';
import { integerColumns } from './cellTable.js';
import type { ChainImages } from './chainImages.js';
import { checkColumnsOf, type ExtraColumn, extraColumnNames } from './columns.js';
import { OptionError } from './errors.js';
import { noHalo, perAxis, type Zyx } from './geometry.js';
import type { ImageSink } from './imageSink.js';
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
    const image = names.of('dog');
    const measured = measure.map((name) => names.of(name));
    // Whether a voxel is saturated is told by the source, so that has to come along.
    const told = extras.includes('flags') ? [...measured, names.of('source')] : measured;
    const kept = [image, ...new Set(told.filter((node) => node !== image))];
    images.ask(image, find('maxima')?.halo ?? noHalo);
    const around = perAxis(Math.ceil(radius ?? 0));
    for (const node of kept) images.ask(node, { before: around, after: around });

    const fixed = shape ? ['x', 'y', 'z', 'size'] : ['x', 'y', 'z'];
    checkColumnsOf('cells', extras, shape !== undefined);
    this.labelSinks = plans.flatMap(({ name, options }) =>
      name === 'save' && options.step === 'shape' ? [options.sink as ImageSink] : [],
    );
    const measuredEnd = shape || radius !== null ? fixed.length + kept.length : 3;
    const { end, places } = placesOf(extras, measuredEnd);
    this.labelPlace = places.get('label') ?? null;
    this.rowWidth = end;
    const extraColumns = extras.flatMap((extra) => (extra === 'volume' ? [] : extraColumnNames[extra]));
    const taken = measure.find((name) => integerColumns.has(name) || extraColumns.includes(name));
    if (taken !== undefined) throw new OptionError('intensity', 'measure', 'names that no other column has', taken);
    this.columns = [...fixed, ...measure, ...extraColumns];
    this.places = [
      ...fixed.keys(),
      ...measured.map((node) => fixed.length + kept.indexOf(node)),
      ...extraColumns.map((column) => places.get(column) as number),
    ];
    this.maskThreshold = shape?.threshold ?? BELOW_ALL;
    this.rules = {
      dtypes: kept.map((node) => images.nodes[node]?.dtype as Dtype),
      method,
      mergePlateaus: plateaus === 'first',
      seedValues: 0,
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
      // A maximum outside the mask is no cell, so with a shape it need not be looked for there.
      seedThreshold: Math.max(threshold ?? BELOW_ALL, this.maskThreshold),
      prominence: hMax === null ? null : { height: hMax, reachZ: reach.z, reachY: reach.y, reachX: reach.x },
      radius,
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
