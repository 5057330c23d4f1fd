import type { FloodRules, Method, NativeDetector } from '../native/index.js';
import type { StepPlan } from './block.js';
import type { ChainImages, ImageNames, ImageNode } from './chainImages.js';
import { OptionError } from './errors.js';
import { type Halo, noHalo, perAxis, type Zyx, zyx } from './geometry.js';
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
  readonly maskThreshold: number;
  readonly rules: FloodRules;
  readonly detector: NativeDetector;
  readonly windows: readonly WindowColumn[];

  constructor(
    /** Empty where the pipeline has no branches. */
    readonly name: string,
    readonly plans: readonly StepPlan[],
    images: ChainImages,
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
    const kept = [image, ...new Set(measured.filter((node) => node !== image))];
    images.ask(image, find('maxima')?.halo ?? noHalo);
    const around = perAxis(Math.ceil(radius ?? 0));
    for (const node of kept) images.ask(node, { before: around, after: around });
    this.windows = windowColumns(plans, names, images);

    const fixed = shape ? ['x', 'y', 'z', 'size'] : ['x', 'y', 'z'];
    const channels = shape || radius !== null ? kept.length : 0;
    const values = fixed.length + channels;
    this.columns = [...fixed, ...measure, ...this.windows.map(({ column }) => column)];
    this.places = [
      ...fixed.keys(),
      ...measured.map((node) => fixed.length + kept.indexOf(node)),
      ...this.windows.map((_, at) => values + at),
    ];
    this.rowWidth = values + this.windows.length;
    this.maskThreshold = shape?.threshold ?? BELOW_ALL;
    this.rules = {
      dtypes: kept.map((node) => images.nodes[node]?.dtype as Dtype),
      method,
      mergePlateaus: plateaus === 'first',
      seedValues: this.windows.length,
      centroid: false,
      box: false,
      flags: false,
      saturatedChannel: -1,
      voxels: false,
      voxelChannels: [],
      reserved: 0,
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
