import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DetectionParameters } from 'somaflow';
import { type Contender, type Measured, takeTurns } from './contenders.js';
import { bareNodeBytes, detect, hasPython, inProject, jsonLines, PYTHON } from './programs.js';
import { type Options, type Section, threadsText } from './section.js';
import { synthetic, warm } from './volumes.js';

/** A column of light that is brighter in the middle of the planes than at their edges. */
const line = Array.from({ length: 2048 }, (_, y) => 600 + 400 * Math.exp(-8 * (y / 2048 - 0.5) ** 2));

const CHAINS: Readonly<Record<string, DetectionParameters>> = {
  default: {},
  // The Gaussians and the threshold of baseline.py, cut to the box that its wider one reaches.
  dog: {
    dog: { size: { z: 7, y: 13, x: 13 }, sigma: { z: 1, y: 2, x: 2 }, sigma2: { z: 1.5, y: 3, x: 3 } },
    shape: { threshold: 60 },
    intensity: { method: 'max', measure: ['source', 'dog'] },
  },
  // Equalized, the background's 95th percentile of 141 becomes 1.5 at most, and the default threshold of 700 about 7.5.
  'illumination + equalize': {
    correctIllumination: { flatfield: { line, axis: 'y' } },
    equalize: {},
    shape: { threshold: 7.5 },
    intensity: { method: 'max', measure: ['source', 'equalized'] },
  },
};

const VOLUMES = ['dense', 'sparse'] as const;

/**
 * What baseline.py is given: the whole dense volume as the default chain is, though that takes it minutes; else the first planes.
 * Rates are per voxel, and it is slower the more there are.
 */
const BASELINES = [
  { chain: 'default', density: 'dense', turns: 2 },
  { chain: 'dog', density: 'dense', planes: 16, turns: 2 },
  { chain: 'default', density: 'sparse', planes: 16, turns: 2 },
  { chain: 'dog', density: 'sparse', planes: 16, turns: 1 },
] as const;

/** Chains through the command, process start to finished table, beside the same on libraries, which leaves out reading and writing. */
export async function chains({ repeats, quick, baseline, threads }: Options): Promise<Section> {
  const planes = quick ? 16 : 64;
  const bare = await bareNodeBytes();
  const folder = await mkdtemp(join(tmpdir(), 'somaflow-bench-'));
  const contenders: Contender[] = [];
  try {
    for (const density of VOLUMES) {
      const volume = await synthetic(planes, density);
      await warm(volume);
      for (const [chain, parameters] of Object.entries(CHAINS)) {
        const params = join(folder, `${chain.replaceAll(' ', '')}.json`);
        await writeFile(params, JSON.stringify(parameters));
        for (const count of threads) {
          const name = `${chain}, ${density}, ${threadsText(count)}`;
          const options = ['--params', params, '--threads', String(count)];
          contenders.push({ name, run: async () => [await measured(name, volume, options, bare)] });
        }
      }
    }
    if (baseline && (await hasPython(['cv2', 'scipy', 'skimage', 'tifffile']))) {
      for (const one of BASELINES) {
        const { chain, density, turns } = one;
        const name = `${chain}, ${density}, baseline.py`;
        const most = 'planes' in one ? Math.min(one.planes, planes / 4) : planes;
        const run = async () => [await runBaseline(name, await synthetic(planes, density), most, chain === 'dog')];
        contenders.push({ name, turns, run });
      }
    }
    return { title: 'chains through the command', rows: await takeTurns(contenders, repeats, beside) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function beside(row: string): Record<string, string> {
  const [chain, density, by] = row.split(', ') as [string, string, string];
  if (by === 'baseline.py') return {};
  return {
    'baseline.py': `${chain}, ${density}, baseline.py`,
    ...(by === threadsText(1) ? {} : { '1 thread': `${chain}, ${density}, ${threadsText(1)}` }),
    ...(density === 'dense' ? {} : { dense: `${chain}, dense, ${by}` }),
  };
}

/** Of a file only what rings hold is in memory, so the footprint is what is above a bare Node. */
async function measured(row: string, volume: string, options: readonly string[], bare: number): Promise<Measured> {
  const { voxels, wallSeconds, mvoxelPerSecond: started, cells, peakBytes } = await detect(volume, options);
  const notes = { started, cells, peakBytes, footprintBytes: peakBytes - bare };
  return { row, mvoxelPerSecond: voxels / wallSeconds / 1e6, notes };
}

/** It holds its whole input, which its footprint leaves out. */
async function runBaseline(row: string, volume: string, planes: number, dog: boolean): Promise<Measured> {
  const args = [inProject('bench/baseline.py'), volume, '--planes', String(planes), ...(dog ? ['--dog'] : [])];
  const [figures] = await jsonLines<BaselineFigures>(PYTHON, args);
  const { voxels, mvoxel_per_s, cells, peak_mb } = figures as BaselineFigures;
  const peakBytes = peak_mb * 2 ** 20;
  return { row, mvoxelPerSecond: mvoxel_per_s, notes: { cells, peakBytes, footprintBytes: peakBytes - 2 * voxels } };
}

interface BaselineFigures {
  readonly voxels: number;
  readonly mvoxel_per_s: number;
  readonly cells: number;
  readonly peak_mb: number;
}
