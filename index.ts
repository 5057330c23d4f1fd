/** somaflow: finds cells in light-sheet volumes. Everything that users need, by the step of a pipeline. */
export { applied } from './core/applied.js';
export type { CellBatch, OpenComponent } from './core/batch.js';
export type {
  Block,
  FixedImage,
  ImageResult,
  Layout,
  MissingStep,
  NamedImage,
  Result,
  Results,
  Step,
  StepPlan,
} from './core/block.js';
export { FIXED_IMAGES } from './core/block.js';
export { type BlocksOptions, blocks } from './core/blocks.js';
export { branch } from './core/branch.js';
export { Budget, type BudgetParts } from './core/budget.js';
export { type CellsOptions, cells } from './core/cells.js';
export { CellTable, type Column } from './core/cellTable.js';
export { EXTRA_COLUMNS, type ExtraColumn } from './core/columns.js';
export { type DriveOptions, defaultMemoryBytes } from './core/drive.js';
export * from './core/errors.js';
export type { Halo, Region, Zyx } from './core/geometry.js';
export { idle } from './core/idle.js';
export type { ImageDescription, ImageDtype, ImageSink, ImageVoxels } from './core/imageSink.js';
export type { LayoutOptions } from './core/layout.js';
export { paced } from './core/paced.js';
export { type PlanOptions, plan, type RunPlan } from './core/plan.js';
export type { Progress } from './core/progress.js';
export { run } from './core/runOperator.js';
export type { RecordedSource, RunRecord } from './core/runRecord.js';
export { steps } from './core/steps.js';
export { supportedTargets, type Target } from './core/target.js';
export type { CellVoxels, CellWindows, MeasureFunction } from './core/userMeasure.js';
export type { PlaneFunction, PlaneWindow } from './core/userStep.js';
export type { Dtype, Volume, VolumeSize, Voxels } from './core/volume.js';
export { type DetectionSink, type DetectionSource, detectCells } from './detection/detectCells.js';
export {
  clearMapParameters,
  type DetectionParameters,
  defaultParameters,
  type WholeParameters,
} from './detection/parameters.js';
export type { DetectionProcessing } from './detection/processing.js';
export { runningJobs } from './native/index.js';
export { type CorrectIlluminationOptions, correctIllumination } from './operators/correctIllumination.js';
export { type DogOptions, dog } from './operators/dog.js';
export { type EqualizeOptions, equalize } from './operators/equalize.js';
export { type CellRanges, filterCells, filterTable, type ValueRange } from './operators/filterCells.js';
export {
  type FieldLine,
  type FieldPlane,
  type FlatfieldFromLineOptions,
  flatfieldFromLine,
  type Numbers,
} from './operators/flatfield.js';
export {
  type FlatfieldCurve,
  type FlatfieldFromRegressionOptions,
  flatfieldFromRegression,
  type IntensityPoint,
} from './operators/flatfieldFromRegression.js';
export { type IntensityOptions, intensity } from './operators/intensity.js';
export { type MaximaOptions, maxima } from './operators/maxima.js';
export { type MeasureOptions, measure } from './operators/measure.js';
export { type RemoveBackgroundOptions, removeBackground } from './operators/removeBackground.js';
export { save } from './operators/save.js';
export { type ShapeOptions, shape } from './operators/shape.js';
export { type InlineStepOptions, type ModuleStepOptions, type StepOptions, step } from './operators/step.js';
export { type CollectSink, collect } from './sinks/collect.js';
export { csv } from './sinks/csv.js';
export { npyTable } from './sinks/npyTable.js';
export { npyVolume } from './sinks/npyVolume.js';
export type { CellSink } from './sinks/sink.js';
export { sinkFor } from './sinks/sinkFor.js';
export { type BranchSinks, write } from './sinks/write.js';
export { arrayVolume } from './sources/array.js';
export { liveVolume } from './sources/live.js';
export { npy } from './sources/npy.js';
export { openSource } from './sources/open.js';

export { readCells } from './sources/readCells.js';
export { type Flatfield, readFlatfield } from './sources/readFlatfield.js';

export { type Synthetic, type SyntheticOptions, synthetic } from './sources/synthetic.js';

export { tiffSeries } from './sources/tiffSeries.js';
export { tissueMask } from './sources/tissueMask.js';
