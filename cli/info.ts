import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { formatBytes } from '../core/bytes.js';
import type { Zyx } from '../core/geometry.js';
import { layoutOf } from '../core/layout.js';
import { bytesPerVoxel, type Volume, type VolumeSize } from '../core/volume.js';
import { openSource } from '../sources/open.js';
import { isPattern } from '../sources/planeFiles.js';

const NOTES = `
SOURCE is a .npy file, a folder with one uncompressed TIFF a plane, or a pattern such as
raw/Z<Z,4>.tif. Sizes are z, y, x. Only headers are read.

Examples:
  somaflow info stitched.npy
  somaflow info planes/ --json
`;

/** Adds the command's options, its help and what it does. */
export function define(command: Command): void {
  command
    .argument('<source>', 'what to look at: a .npy file, a folder of TIFF planes or a pattern')
    .option('--json', 'print it as one line of JSON')
    .option('--verbose', 'add the stack to an error')
    .addHelpText('after', NOTES)
    .action(info);
}

/** Says on stdout what a source is. */
async function info(source: string, options: { readonly json?: boolean }): Promise<void> {
  const volume = await openSource(source);
  const kind = isPattern(source) || (await stat(source)).isDirectory() ? 'TIFF series' : 'NPY array';
  const { size, dtype, voxelSizeUm = null, chunks = null } = volume;
  const voxels = (size.z ?? 0) * size.y * size.x;
  const { coreSize, counts } = layoutOf(volume);
  const figures = {
    kind,
    size,
    dtype,
    voxelSizeUm,
    chunks,
    voxels,
    bytes: voxels * bytesPerVoxel[dtype],
    blockSize: coreSize,
    blocks: (counts.z ?? 0) * counts.y * counts.x,
  };
  process.stdout.write(options.json ? `${JSON.stringify(figures)}\n` : text(source, volume, figures));
}

interface Figures {
  readonly kind: string;
  readonly chunks: Zyx | null;
  readonly bytes: number;
  readonly blockSize: Zyx;
  readonly blocks: number;
}

function text(
  source: string,
  { size, dtype, voxelSizeUm }: Volume,
  { kind, chunks, bytes, blockSize, blocks }: Figures,
) {
  const lines = [
    source,
    `  kind        ${kind}`,
    `  size        ${by(size)} voxels (z, y, x)`,
    `  dtype       ${dtype}`,
    `  voxel size  ${voxelSizeUm ? `${by(voxelSizeUm)} µm` : 'not known'}`,
    `  chunks      ${chunks ? `${by(chunks)} voxels` : 'none'}`,
    `  bytes       ${formatBytes(bytes)} of voxels`,
    `  blocks      ${blocks}, of ${by(blockSize)} voxels unless told otherwise`,
  ];
  return `${lines.join('\n')}\n`;
}

function by({ z, y, x }: VolumeSize): string {
  return `${z ?? '?'} x ${y} x ${x}`;
}
