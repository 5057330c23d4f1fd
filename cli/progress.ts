import type { SingleBar } from 'cli-progress';
import type { Observer } from 'rxjs';
import { formatBytes } from '../core/bytes.js';
import type { Progress } from '../core/progress.js';
import { formatCount, formatSeconds } from './quantity.js';

/** Between two lines in a log. */
const LOG_MS = 5000;
/** Characters of the bar at the least, and at most; the words beside it come first. */
const BAR_LEAST = 8;
const BAR_MOST = 40;

/** Follows a run, keeps its latest figures, and tells them now and then: as a bar on a terminal, else as lines. */
export class ProgressReport implements Partial<Observer<Progress>> {
  latest: Progress | undefined;
  private readonly started = performance.now();
  private readonly timer: NodeJS.Timeout | undefined;
  private bar: SingleBar | undefined;

  /** Without `out` it only keeps the figures. `voxels` is how many there are in all, null where nobody knows. */
  constructor(
    private readonly voxels: number | null,
    private readonly out?: NodeJS.WriteStream,
  ) {
    if (out && !out.isTTY) this.timer = setInterval(() => out.write(`${this.line()}\n`), LOG_MS).unref();
  }

  /** Begins the bar, where there is a terminal; it draws itself now and then. */
  async begin(): Promise<void> {
    const { out } = this;
    if (!out?.isTTY) return;
    const { SingleBar } = await import('cli-progress');
    this.bar = new SingleBar({
      format: () => barLine(this.latest, this.voxels, this.seconds, (out.columns || 80) - 1),
      stream: out,
      hideCursor: true,
      clearOnComplete: true,
      // Whoever handles the signal also stops the bar.
      gracefulExit: false,
    });
    this.bar.start(1, 0);
  }

  next(progress: Progress): void {
    this.latest = progress;
  }

  /** Says no more; a terminal gets its line and its cursor back. */
  stop(): void {
    clearInterval(this.timer);
    this.bar?.stop();
    this.bar = undefined;
  }

  private get seconds(): number {
    return (performance.now() - this.started) / 1000;
  }

  private line(): string {
    return this.latest ? describe(this.latest, this.voxels, this.seconds) : 'opening';
  }
}

/** One line: ` 42 %, 5 of 12 blocks, 113 Mvoxel, 88.1 Mvoxel/s, 230 MiB read, 4312 cells, 4 s left`. */
export function describe(progress: Progress, voxels: number | null, seconds: number): string {
  const done = partOf(progress, voxels);
  return [
    ...(done === null ? [] : [percent(done)]),
    `${progress.blocks} of ${progress.blocksKnown} blocks`,
    `${formatCount(progress.voxels)}voxel`,
    `${formatCount(progress.voxels / seconds)}voxel/s`,
    `${formatBytes(progress.bytesRead)} read`,
    `${progress.cells} cells`,
    ...timeLeft(done, seconds),
  ].join(', ');
}

/**
 * What a terminal shows, no wider than it is: ` 42 % [=====-------] 5/12 blocks  88.1 Mvoxel/s  4312 cells  4 s left`. Where there is
 * no room for all, the bar goes first, and then the last words.
 */
export function barLine(progress: Progress | undefined, voxels: number | null, seconds: number, width: number): string {
  if (!progress) return 'opening'.slice(0, width);
  const done = partOf(progress, voxels);
  const words = [
    `${progress.blocks}/${progress.blocksKnown} blocks`,
    `${formatCount(progress.voxels / seconds)}voxel/s`,
    `${progress.found} cells`,
    ...timeLeft(done, seconds),
  ];
  const lead = done === null ? '' : `${percent(done)} `;
  const wide = () => lead.length + words.join('  ').length;
  while (words.length > 1 && wide() > width) words.pop();
  const room = Math.min(BAR_MOST, width - wide() - '[] '.length);
  const full = Math.round(room * (done ?? 0));
  const bar = done === null || room < BAR_LEAST ? '' : `[${'='.repeat(full)}${'-'.repeat(room - full)}] `;
  return `${lead}${bar}${words.join('  ')}`.slice(0, width);
}

/** How long it takes yet if it goes on like this, in whole seconds, since nobody knows better. */
function timeLeft(done: number | null, seconds: number): string[] {
  return done ? [`${formatSeconds(Math.ceil((seconds / done) * (1 - done)))} left`] : [];
}

/** How much is done, 0 to 1; null where nobody knows how much there is. */
function partOf(progress: Progress, voxels: number | null): number | null {
  return voxels === null ? null : Math.min(1, progress.voxels / voxels);
}

function percent(part: number): string {
  return `${Math.floor(100 * part)
    .toString()
    .padStart(3)} %`;
}
