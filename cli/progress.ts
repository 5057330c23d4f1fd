import type { Observer } from 'rxjs';
import { formatBytes } from '../core/bytes.js';
import type { Progress } from '../core/progress.js';
import { formatCount, formatSeconds } from './quantity.js';

/** Between two pictures on a terminal, and between two lines in a log. */
const TERMINAL_MS = 200;
const LOG_MS = 5000;

/** Follows a run, keeps its latest figures, and tells them on `out` now and then. */
export class ProgressReport implements Partial<Observer<Progress>> {
  latest: Progress | undefined;
  private readonly started = performance.now();
  private readonly timer: NodeJS.Timeout | undefined;

  /** Without `out` it only keeps the figures. `voxels` is how many there are in all, null where nobody knows yet. */
  constructor(
    private readonly voxels: number | null,
    private readonly out?: NodeJS.WriteStream,
  ) {
    if (out) this.timer = setInterval(() => this.show(), out.isTTY ? TERMINAL_MS : LOG_MS).unref();
  }

  next(progress: Progress): void {
    this.latest = progress;
  }

  /** Says no more, and leaves a terminal's line empty for whatever comes next. */
  stop(): void {
    clearInterval(this.timer);
    if (this.out?.isTTY) this.out.write('\r\x1b[K');
  }

  private show(): void {
    const seconds = (performance.now() - this.started) / 1000;
    const line = this.latest ? describe(this.latest, this.voxels, seconds) : 'opening';
    this.out?.write(this.out.isTTY ? `\r${line.slice(0, this.out.columns - 1)}\x1b[K` : `${line}\n`);
  }
}

/** One line: ` 42 %, block 5 of 12, 113 Mvoxel, 88.1 Mvoxel/s, 230 MiB read, 4312 cells, 3.1 s left`. */
export function describe(progress: Progress, voxels: number | null, seconds: number): string {
  const done = voxels ? progress.voxels / voxels : undefined;
  const parts = [
    ...(done === undefined
      ? []
      : [
          `${Math.floor(100 * done)
            .toString()
            .padStart(3)} %`,
        ]),
    `${progress.blocks} of ${progress.blocksKnown} blocks`,
    `${formatCount(progress.voxels)}voxel`,
    `${formatCount(progress.voxels / seconds)}voxel/s`,
    `${formatBytes(progress.bytesRead)} read`,
    `${progress.cells} cells`,
    ...(done ? [`${formatSeconds((seconds / done) * (1 - done))} left`] : []),
  ];
  return parts.join(', ');
}
