import type { FloodRules, Method, NativeDetector } from '../native/index.js';
import type { StepPlan } from './block.js';
import type { ChainImages } from './chainImages.js';
import { OptionError } from './errors.js';
import { noHalo, perAxis, type Zyx } from './geometry.js';
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
  readonly maskThreshold: number;
  readonly rules: FloodRules;
  readonly detector: NativeDetector;

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
    const image = names.of('dog');
    const measured = measure.map((name) => names.of(name));
    const kept = [image, ...new Set(measured.filter((node) => node !== image))];
    images.ask(image, find('maxima')?.halo ?? noHalo);
    const around = perAxis(Math.ceil(radius ?? 0));
    for (const node of kept) images.ask(node, { before: around, after: around });

    const fixed = shape ? ['x', 'y', 'z', 'size'] : ['x', 'y', 'z'];
    this.columns = [...fixed, ...measure];
    this.places = [...fixed.keys(), ...measured.map((node) => fixed.length + kept.indexOf(node))];
    this.rowWidth = shape || radius !== null ? fixed.length + kept.length : 3;
    this.maskThreshold = shape?.threshold ?? BELOW_ALL;
    this.rules = {
      dtypes: kept.map((node) => images.nodes[node]?.dtype as Dtype),
      method,
      mergePlateaus: plateaus === 'first',
      seedValues: 0,
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
