import { formatBytes } from '../core/bytes.js';
import type { Progress } from '../core/progress.js';
import type { VolumeSize } from '../core/volume.js';
import { formatCount, formatSeconds } from './quantity.js';

/** What a run of the command came to. */
export interface Outcome {
  readonly source: string;
  readonly out: readonly string[];
  readonly size: VolumeSize;
  readonly cells: number;
  /** The first rows of the table. */
  readonly first: readonly Readonly<Record<string, number>>[];
  /** From the first read to the renamed output. */
  readonly seconds: number;
  /** Peak resident memory of the process. */
  readonly peakBytes: number;
  readonly progress: Progress | undefined;
}

/** The line of `--json`: for programs, with the names that the documentation lists. */
export function jsonLine({ cells, seconds, peakBytes, progress }: Outcome): string {
  const voxels = progress?.voxels ?? 0;
  return JSON.stringify({
    voxels,
    cells,
    seconds: rounded(seconds),
    mvoxelPerSecond: rounded(voxels / seconds / 1e6),
    peakBytes,
    blocks: progress?.blocks ?? 0,
    seams: progress?.seams ?? 0,
    bytesRead: progress?.bytesRead ?? 0,
    target: progress?.target ?? null,
    threads: progress?.threads ?? null,
  });
}

/** For people: what was found, how it went, and where it is. */
export function summary(outcome: Outcome, verbose = false): string {
  const { source, out, size, cells, first, seconds, peakBytes, progress } = outcome;
  const voxels = progress?.voxels ?? 0;
  const lines = [
    `${cells} ${cells === 1 ? 'cell' : 'cells'} in ${source} (${size.z ?? '?'} x ${size.y} x ${size.x} voxels)`,
    `${formatCount(voxels)}voxel in ${formatSeconds(seconds)}, ${formatCount(voxels / seconds)}voxel/s; ` +
      `peak memory ${formatBytes(peakBytes)}`,
  ];
  if (progress && verbose) lines.push(...details(progress));
  if (first.length > 0) lines.push('', ...table(first, cells), '');
  lines.push(`written to ${out.join(', ')}`);
  return `${lines.join('\n')}\n`;
}

function details({ blocks, seams, seamsByCores, bytesRead, spilledBytes, threads, target }: Progress): string[] {
  const joined = Object.entries(seamsByCores).map(([cores, count]) => `${count} across ${cores}`);
  return [
    `${blocks} ${blocks === 1 ? 'block' : 'blocks'} on ${threads} ${threads === 1 ? 'thread' : 'threads'} (${target}), ${formatBytes(bytesRead)} read, ` +
      `${formatBytes(spilledBytes)} spilled`,
    `${seams} components joined across cores${joined.length > 0 ? `: ${joined.join(', ')}` : ''}`,
  ];
}

/** The first rows in columns, right-aligned under their names. */
function table(rows: readonly Readonly<Record<string, number>>[], total: number): string[] {
  const names = Object.keys(rows[0] ?? {});
  const cellsOf = (row: Readonly<Record<string, number>>) => names.map((name) => String(row[name]));
  const grid = [names, ...rows.map(cellsOf)];
  const widths = names.map((_, at) => Math.max(...grid.map((line) => (line[at] as string).length)));
  const lines = grid.map((line) => `  ${line.map((text, at) => text.padStart(widths[at] as number)).join('  ')}`);
  return total > rows.length ? [...lines, `  and ${total - rows.length} more`] : lines;
}

function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
