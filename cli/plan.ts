import type { Command } from 'commander';
import { lastValueFrom } from 'rxjs';
import { blocks } from '../core/blocks.js';
import { formatBytes } from '../core/bytes.js';
import type { Zyx } from '../core/geometry.js';
import { plan as planned, type RunPlan } from '../core/plan.js';
import { openedParameters } from '../detection/openedParameters.js';
import { chainOf } from '../detection/parameters.js';
import { blocksOptions } from '../detection/processing.js';
import {
  type AskedRegion,
  blockOption,
  maskOption,
  memoryOption,
  paramsOption,
  regionIn,
  regionOption,
  threadsOption,
} from './options.js';
import { readParameters } from './params.js';
import { formatCount, formatSeconds } from './quantity.js';
import { openVolume } from './source.js';

interface PlanOptions {
  readonly params?: string;
  readonly region?: AskedRegion;
  readonly mask?: string;
  readonly block?: Zyx;
  readonly threads?: number;
  readonly memory?: number;
  readonly json?: boolean;
}

const NOTES = `
The options are those of detect, and SOURCE and PARAMS are the same. The time is that of computing,
from a measurement of this chain on this machine that takes a moment; reading comes on top of it
where it is slower.

Examples:
  somaflow plan stitched.npy
  somaflow plan 'raw/Z<Z,4>.tif' --params params.json --memory 2GiB --threads 8
  somaflow plan planes/ --region 100:200,, --json
`;

/** Adds the command's options, its help and what it does. */
export function define(command: Command): void {
  command
    .argument('<source>', 'what would be read: a .npy file, a folder of TIFF planes or a pattern')
    .addOption(paramsOption('those that detect --help tells'))
    .addOption(regionOption('plan'))
    .addOption(maskOption())
    .addOption(blockOption('plan'))
    .addOption(threadsOption('plan'))
    .addOption(memoryOption('plan'))
    .option('--json', 'print the figures as one line of JSON')
    .option('--verbose', 'add the stack to an error')
    .addHelpText('after', NOTES)
    .action(plan);
}

/** Says on stdout what a run of `detect` would take. */
async function plan(source: string, options: PlanOptions): Promise<void> {
  const { memory, threads, block, mask } = options;
  const parameters = await readParameters(options.params);
  const volume = await openVolume(source);
  const layout = await blocksOptions({
    ...(block && { size: block }),
    ...(options.region && { region: regionIn('plan', volume, options.region) }),
    ...(mask !== undefined && { mask }),
  });
  const measure = planned({
    columns: parameters.columns ?? [],
    ...(memory !== undefined && { memory }),
    ...(threads !== undefined && { threads }),
  });
  const figures = await lastValueFrom(
    blocks(volume, layout).pipe(chainOf(await openedParameters(parameters)), measure),
  );
  process.stdout.write(options.json ? `${JSON.stringify(figures)}\n` : text(source, figures));
}

function text(source: string, figures: RunPlan): string {
  const { blocks, voxels, blockBytes, imageBytes, sparseBytes, bytesToRead, expectedSeconds, threads, target } =
    figures;
  const lines = [
    `${source}: ${formatCount(voxels)}voxel in ${blocks} ${blocks === 1 ? 'block' : 'blocks'}`,
    `memory          ${formatBytes(blockBytes)} a block; budget ${formatBytes(imageBytes)} for images, ${formatBytes(sparseBytes)} for results`,
    `bytes to read   ${formatBytes(bytesToRead)}`,
    `expected time   ${formatSeconds(expectedSeconds)} on ${threads} ${threads === 1 ? 'thread' : 'threads'} (${target})`,
  ];
  return `${lines.join('\n')}\n`;
}
