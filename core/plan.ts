import { firstValueFrom, from, mergeMap, type Observable, toArray } from 'rxjs';
import type { AnyBlock, Block, NamedImage, Needs, Result } from './block.js';
import { runBlock } from './blockRun.js';
import { blocks } from './blocks.js';
import { Budget } from './budget.js';
import { ChainPlan, checkBlock } from './chainPlan.js';
import { checkColumns, type ExtraColumn } from './columns.js';
import { defaultMemoryBytes } from './drive.js';
import { type Region, voxelCount, type Zyx } from './geometry.js';
import { track } from './idle.js';
import { evenlyLit } from './illumination.js';
import { imageBytes } from './images.js';
import { Lanes } from './lanes.js';
import { chooseTarget, chooseThreads, type Target } from './target.js';
import { anyInside } from './tissue.js';
import { bytesPerVoxel, type Dtype, type Volume, voxelsOver } from './volume.js';

export interface PlanOptions {
  /** Bytes for images and sparse data together, or a text such as `'512 MiB'`, or a budget that several runs share. */
  readonly memory?: number | string | Budget;
  /** Native threads that work at a time, 1 to 256. Default: the machine's cores. */
  readonly threads?: number;
  /** CPU target of the kernels. Default: `SOMAFLOW_TARGET`, else the fastest that the CPU has. */
  readonly target?: Target;
  /** Further columns, as `cells` takes them. */
  readonly columns?: readonly ExtraColumn[];
}

/** What a run of these blocks would take. */
export interface RunPlan {
  readonly blocks: number;
  /** Voxels of the cores. */
  readonly voxels: number;
  /** Bytes asked of the source: cores and halos. */
  readonly bytesToRead: number;
  /** Bytes of image memory that each block takes while it is worked on. */
  readonly blockBytes: number;
  /** Bytes of the budget: for images, and for sparse data. */
  readonly imageBytes: number;
  readonly sparseBytes: number;
  /** Seconds of computing, from a short measurement of this chain on this machine; reading comes on top where it is slower. */
  readonly expectedSeconds: number;
  readonly threads: number;
  readonly target: Target;
}

/**
 * Tells what running these blocks would take, instead of running them.
 *
 * Takes the options of `cells`.
 *
 * @needs `maxima`
 * @throws {OptionError} at once, if an option is out of range
 * @throws {BudgetError} in the stream, if a block can never fit the memory
 * @example const { expectedSeconds } = await lastValueFrom(blocks(volume).pipe(maxima(), shape(), plan({ memory: '2 GiB' })));
 */
export function plan(
  options: PlanOptions = {},
): <Has extends Result>(blocks: Observable<Block<Has>> & Needs<Has, 'maxima'>) => Observable<RunPlan> {
  const threads = chooseThreads('plan', options.threads);
  const target = chooseTarget('plan', options.target);
  const { memory = defaultMemoryBytes(), columns = [] } = options;
  checkColumns('plan', columns);
  const budget = memory instanceof Budget ? memory : new Budget(memory);
  return (source) =>
    (source as Observable<AnyBlock>).pipe(
      toArray(),
      mergeMap((all) => from(track(planOf(all, budget, threads, target, columns)))),
    );
}

async function planOf(
  all: readonly AnyBlock[],
  budget: Budget,
  threads: number,
  target: Target,
  columns: readonly ExtraColumn[],
): Promise<RunPlan> {
  const halves = { imageBytes: budget.images.capacityBytes, sparseBytes: budget.sparse.capacityBytes, threads, target };
  const [first] = all;
  const signal = new AbortController().signal;
  const inside: AnyBlock[] = [];
  for (const block of all) if (await anyInside(block, signal)) inside.push(block);
  if (!first) return { blocks: 0, voxels: 0, bytesToRead: 0, blockBytes: 0, expectedSeconds: 0, ...halves };
  const chain = new ChainPlan(first, 'cells', columns);
  const request = chain.request(first, target, budget.sparse, threads);
  checkBlock(chain, first, request, halves.imageBytes);
  const sum = (of: (block: AnyBlock) => number) => inside.reduce((total, block) => total + of(block), 0);
  const bytesOf = ({ volume, region }: { volume: Volume; region: Region }) =>
    voxelCount(region) * bytesPerVoxel[volume.dtype];
  return {
    blocks: inside.length,
    voxels: sum((block) => voxelCount(block.core)),
    bytesToRead: sum((block) => chain.inputs(block).reduce((bytes, input) => bytes + bytesOf(input), 0)),
    blockBytes: imageBytes(request),
    expectedSeconds:
      sum((block) => voxelCount(chain.readRegion(block))) *
      (await secondsPerVoxel(first, chain, columns, threads, target)),
    ...halves,
  };
}

/** Runs the steps of a block on a small volume of noise with cells, twice, and times the second run. */
async function secondsPerVoxel(
  of: AnyBlock,
  { branches }: ChainPlan,
  columns: readonly ExtraColumn[],
  threads: number,
  target: Target,
): Promise<number> {
  const size = { z: 24, y: 512, x: 512 };
  const threshold = Math.min(...branches.map(({ maskThreshold }) => maskThreshold));
  const volume = noise(size, threshold, of.volume.dtype);
  const also = Object.fromEntries(Object.entries(of.also).map(([name, { dtype }]) => [name, noise(size, 0, dtype)]));
  const described = await firstValueFrom<AnyBlock>(blocks(volume, { also: also as Record<NamedImage, Volume> }));
  const block = of.plans.map(evenlyLit).reduce((so, one) => so.with(one), described);
  const chain = new ChainPlan(block, 'cells', columns);
  const budget = new Budget('1 GiB');
  const lanes = new Lanes(threads);
  let seconds = 0;
  for (let turn = 0; turn < 2; turn++) {
    const config = chain.config(block, target, budget.sparse);
    const signal = new AbortController().signal;
    const grant = await budget.images.admit(chain.request(block, target, budget.sparse, threads), signal);
    const start = performance.now();
    await runBlock({ block, chain, config, grant, lanes, width: () => threads, signal, output: async () => {} });
    seconds = (performance.now() - start) / 1000;
    grant.release();
  }
  return seconds / (size.z * size.y * size.x);
}

const greatest: Readonly<Record<Dtype, number>> = { uint8: 255, uint16: 65535, float32: 1e30 };

/**
 * Noise below the threshold, and above it short runs. It is one plane, shifted from z to z, so that reading it takes next to no time
 * of what is measured.
 */
function noise(size: Zyx, threshold: number, dtype: Dtype): Volume {
  const plane = size.y * size.x;
  const most = greatest[dtype];
  const level = Math.max(0, Math.min(most, threshold));
  const twice = voxelsOver(dtype, new ArrayBuffer(2 * plane * bytesPerVoxel[dtype]), 0, 2 * plane);
  let state = 1;
  for (let i = 0; i < plane; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    twice[i] = Math.min(most, level * 0.4 + (state >>> 25));
  }
  for (let i = 0; i < plane; i += 1000) twice.fill(Math.min(most, 2 * level + 1), i, i + 8);
  twice.copyWithin(plane, 0, plane);
  const read: Volume['read'] = async ({ start, stop }, into) => {
    for (let z = start.z; z < stop.z; z++) {
      const shift = (z * 997) % plane;
      into.set(twice.subarray(shift, shift + plane), (z - start.z) * plane);
    }
  };
  return { id: 'noise', size, dtype, read };
}
