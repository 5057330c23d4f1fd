import type { Target } from './target.js';

/** How far a run is. All counts are of what is done. */
export interface Progress {
  /** Blocks finished, and known so far. */
  readonly blocks: number;
  readonly blocksKnown: number;
  /** Voxels of the cores, as far as their planes have passed the chain. */
  readonly voxels: number;
  /** Bytes asked of the source. */
  readonly bytesRead: number;
  /** Cells found so far inside cores, and delivered in batches. */
  readonly found: number;
  readonly cells: number;
  /** Components joined across cores, in all and by the number of cores that each touches. */
  readonly seams: number;
  readonly seamsByCores: Readonly<Record<number, number>>;
  /** Bytes written to the spill file. */
  readonly spilledBytes: number;
  readonly threads: number;
  readonly target: Target;
}

/** Counts what happens in a run and reports every change. */
export class ProgressCounter {
  private blocks = 0;
  private blocksKnown = 0;
  private voxels = 0;
  private bytesRead = 0;
  private foundCells = 0;
  private cells = 0;
  private readonly cellsByBranch = new Map<string, number>();
  private seams = 0;
  private readonly seamsByCores: Record<number, number> = {};

  constructor(
    private readonly threads: number,
    private readonly target: Target,
    private readonly spilledBytes: () => number,
    private readonly report: (progress: Progress) => void,
  ) {}

  known(): void {
    this.blocksKnown++;
  }

  read(bytes: number): void {
    this.bytesRead += bytes;
    this.tell();
  }

  found(cells: number): void {
    this.foundCells += cells;
    this.tell();
  }

  passed(voxels: number): void {
    this.voxels += voxels;
    this.tell();
  }

  finished(): void {
    this.blocks++;
    this.tell();
  }

  joined(cores: number): void {
    this.seams++;
    this.seamsByCores[cores] = (this.seamsByCores[cores] ?? 0) + 1;
  }

  delivered(cells: number, branch: string): void {
    this.cells += cells;
    this.cellsByBranch.set(branch, this.cellsOf(branch) + cells);
    this.tell();
  }

  /** Cells delivered of one branch. */
  cellsOf(branch: string): number {
    return this.cellsByBranch.get(branch) ?? 0;
  }

  private tell(): void {
    this.report(this.now());
  }

  now(): Progress {
    return {
      blocks: this.blocks,
      blocksKnown: this.blocksKnown,
      voxels: this.voxels,
      bytesRead: this.bytesRead,
      found: this.foundCells,
      cells: this.cells,
      seams: this.seams,
      seamsByCores: { ...this.seamsByCores },
      spilledBytes: this.spilledBytes(),
      threads: this.threads,
      target: this.target,
    };
  }
}
