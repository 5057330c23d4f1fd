import type { FloodRules, Method, NativeDetector } from '../native/index.js';
import type { StepPlan } from './block.js';
import { integerColumns } from './cellTable.js';
import type { ChainImages } from './chainImages.js';
import { checkColumnsOf, type ExtraColumn, extraColumnNames } from './columns.js';
import { OptionError } from './errors.js';
import { noHalo, perAxis, type Zyx } from './geometry.js';
import type { ImageSink } from './imageSink.js';
import { sinksOf } from './saves.js';
import { userColumns, type VoxelColumn, type WindowColumn } from './userColumns.js';
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
  /** Columns that users' functions give: of windows around maxima, and of cells' voxels, and where in a row the latter begin. */
  readonly windows: readonly WindowColumn[];
  readonly voxels: readonly VoxelColumn[];
  readonly voxelsAt: number;
  /** Of each of the latter, its place among the channels whose values come with the voxels. */
  readonly voxelChannels: readonly number[];

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
    const byUser = userColumns(plans, names, images);
    this.windows = byUser.windows;
    this.voxels = byUser.voxels;
    const ofVoxels = [...new Set(byUser.voxels.map((column) => column.image))];
    const told = [...measured, ...ofVoxels, ...(extras.includes('flags') ? [names.of('source')] : [])];
    const kept = [image, ...new Set(told.filter((node) => node !== image))];
    images.ask(image, find('maxima')?.halo ?? noHalo);
    const around = perAxis(Math.ceil(radius ?? 0));
    for (const node of kept) images.ask(node, { before: around, after: around });
    this.voxelChannels = byUser.voxels.map((column) => ofVoxels.indexOf(column.image));

    const fixed = shape ? ['x', 'y', 'z', 'size'] : ['x', 'y', 'z'];
    checkColumnsOf('cells', extras, shape !== undefined);
    this.labelSinks = sinksOf(plans, 'shape');
    const windowsAt = shape || radius !== null ? fixed.length + kept.length : fixed.length;
    const { end, places } = placesOf(extras, windowsAt + this.windows.length);
    this.labelPlace = places.get('label') ?? null;
    this.voxelsAt = end;
    this.rowWidth = end + this.voxels.length;
    const placeOf = (column: WindowColumn | VoxelColumn) =>
      column.window ? windowsAt + this.windows.indexOf(column) : end + this.voxels.indexOf(column);
    const extraColumns = extras.flatMap((extra) => (extra === 'volume' ? [] : extraColumnNames[extra]));
    this.columns = [...fixed, ...measure, ...byUser.all.map(({ column }) => column), ...extraColumns];
    this.places = [
      ...fixed.keys(),
      ...measured.map((node) => fixed.length + kept.indexOf(node)),
      ...byUser.all.map(placeOf),
      ...extraColumns.map((column) => places.get(column) as number),
    ];
    checkNames(this.columns, measure, byUser.all);
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
      voxels: this.labelSinks.length > 0 || this.voxels.length > 0,
      voxelChannels: ofVoxels.map((node) => kept.indexOf(node)),
      reserved: (this.labelPlace === null ? 0 : 1) + this.voxels.length,
    };
    this.detector = {
      image,
      channels: kept.slice(1),
      windowZ: size.z,
      windowY: size.y,
      windowX: size.x,
      firstOfEquals: plateaus === 'first',
      // A maximum outside the mask is no cell, so with a shape it need not be looked for there; but it is saved.
      seedThreshold: Math.max(
        threshold ?? BELOW_ALL,
        sinksOf(plans, 'maxima').length > 0 ? BELOW_ALL : this.maskThreshold,
      ),
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

/** Refuses two columns of one name, and measured ones of a name that stands for integers; names the step that brings it. */
function checkNames(
  columns: readonly string[],
  measured: readonly string[],
  byUser: readonly { readonly step: string; readonly column: string }[],
): void {
  const added = [...measured, ...byUser.map(({ column }) => column)];
  const twice =
    columns.find((name, at) => columns.indexOf(name) !== at) ?? added.find((name) => integerColumns.has(name));
  if (twice === undefined) return;
  const user = byUser.find(({ column }) => column === twice);
  if (user) throw new OptionError(user.step, 'name', 'one that no other column has', twice);
  throw new OptionError('intensity', 'measure', 'names that no other column has', twice);
}
