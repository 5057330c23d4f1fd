/**
 * Peak resident memory of the command with a budget of 256 MiB, which must not follow the volume's size or the block's.
 *
 *     npm run bench:memory
 *
 * It makes volumes of 64 and 256 planes of 2048 x 2048 voxels (512 MiB and 2 GiB) in the temporary folder, and ends with an
 * error if a run takes 450 MB or more.
 */

import { printTable } from './table.js';
import { detect, type Figures, synthetic } from './volume.js';

const MEMORY = '256MiB';
const LIMIT_BYTES = 450e6;

const runs: readonly { planes: number; block?: string; threads: string }[] = [
  { planes: 64, threads: '1' },
  { planes: 64, threads: '2' },
  { planes: 64, threads: '2', block: '64,2048,2048' },
  { planes: 256, threads: '2' },
  { planes: 256, threads: '2', block: '256,2048,2048' },
];

const rows: (string | number)[][] = [];
let over = 0;
for (const { planes, block, threads } of runs) {
  const layout = block === undefined ? [] : ['--block', block];
  const figures: Figures = await detect(await synthetic(planes), '--memory', MEMORY, '--threads', threads, ...layout);
  if (figures.peakBytes >= LIMIT_BYTES) over++;
  rows.push([
    `${planes} x 2048 x 2048`,
    block ?? 'default',
    figures.threads,
    figures.blocks,
    figures.cells,
    figures.mvoxelPerSecond.toFixed(1),
    (figures.peakBytes / 1e6).toFixed(0),
  ]);
}
printTable([['volume', '--block', 'threads', 'blocks', 'cells', 'Mvoxel/s', 'peak MB'], ...rows]);
console.log(over === 0 ? `all below ${LIMIT_BYTES / 1e6} MB` : `${over} runs at or above ${LIMIT_BYTES / 1e6} MB`);
if (over > 0) process.exitCode = 1;
