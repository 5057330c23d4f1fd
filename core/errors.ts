/**
 * Every error that somaflow raises on purpose: one line that a user can act on, of the form
 * `where: what, expected, got`. Cancelling is not an error. (A bug shows as another class of error.)
 */
import { describeRegion, type Region } from './geometry.js';

/** What all of them are. */
export abstract class SomaflowError extends Error {
  abstract override readonly name: string;
}

/** An option or argument that cannot be: raised when the function is called, before anything runs. */
export class OptionError extends SomaflowError {
  override readonly name = 'OptionError';
  constructor(
    readonly where: string,
    readonly option: string,
    readonly expected: string,
    readonly got: unknown,
    /** What is wrong, where "must be" does not say it well. */
    problem = `${option} must be ${expected}, got ${show(got)}`,
  ) {
    super(`${where}: ${problem}`);
  }
}

/** A source that cannot be opened or read, or that holds something else than it says. */
export class SourceError extends SomaflowError {
  override readonly name = 'SourceError';
  constructor(
    /** The file, or the volume's id where there is no file. */
    readonly source: string,
    readonly problem: string,
    options?: ErrorOptions,
  ) {
    super(`${source}: ${problem}`, options);
  }
}

/** A sink that cannot be written. */
export class SinkError extends SomaflowError {
  override readonly name = 'SinkError';
  constructor(
    readonly sink: string,
    readonly problem: string,
    options?: ErrorOptions,
  ) {
    super(`${sink}: ${problem}`, options);
  }
}

/** A function of the user's own that failed, or that gave what it must not; a `BlockError` around it names the region. */
export class StepError extends SomaflowError {
  override readonly name = 'StepError';
  constructor(
    /** The step, such as `step smooth`. */
    readonly step: string,
    readonly problem: string,
    options?: ErrorOptions,
  ) {
    super(`${step}: ${problem}`, options);
  }
}

/** A block that failed; `cause` is the error of the source or the step. */
export class BlockError extends SomaflowError {
  override readonly name = 'BlockError';
  constructor(
    readonly volumeId: string,
    readonly region: Region,
    override readonly cause: unknown,
  ) {
    super(`block ${describeRegion(region)} of ${volumeId}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

/** A memory budget in which the work can never fit. */
export class BudgetError extends SomaflowError {
  override readonly name = 'BudgetError';
  constructor(
    readonly what: string,
    readonly neededBytes: number,
    readonly availableBytes: number,
    readonly advice: string,
  ) {
    super(`${what} needs ${neededBytes} bytes, the budget has ${availableBytes}: ${advice}`);
  }
}

/** Blocks or steps that cannot belong to one run: another order, another layout, other steps. */
export class LayoutError extends SomaflowError {
  override readonly name = 'LayoutError';
}

/** A component too large to be a cell, or to be flooded. */
export class ComponentError extends SomaflowError {
  override readonly name = 'ComponentError';
  constructor(
    readonly region: Region,
    readonly voxels: number,
    readonly threshold: number,
    readonly maxComponentVoxels: number,
  ) {
    super(
      `shape: the component in ${describeRegion(region)} has ${voxels} voxels above the threshold ${threshold}, ` +
        `expected at most ${maxComponentVoxels}: raise the threshold or maxComponentVoxels`,
    );
  }
}

function show(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'object' && value !== null) return JSON.stringify(value);
  return String(value);
}
