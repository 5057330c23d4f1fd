import { availableParallelism } from 'node:os';
import { type Measured, takeTurns } from './contenders.js';
import { hasPython, inProject, jsonLines, output, PYTHON } from './programs.js';
import type { Options, Section } from './section.js';
import { synthetic } from './volumes.js';

interface KernelLine {
  readonly kernel: string;
  readonly mvoxelPerSecond: number;
  readonly library?: string;
  /** How many cells, maxima or runs. */
  readonly found?: number;
}

/** Rows of a plane that a block of such a volume has by default. */
const ROWS = 512;

/** Each kernel alone, over planes as a chain gives them, beside the same done by libraries and beside what memory does. */
export async function kernels({ repeats, quick, baseline, target }: Options): Promise<Section> {
  const planes = quick ? 16 : 64;
  const volumes = [await synthetic(planes), await synthetic(planes, 'crowded')];
  const part = [String(planes), String(ROWS)] as const;
  await output('make', ['-s', '-j', String(availableParallelism()), '-C', inProject('native/bench')]);
  const program = inProject('native/build/bench/kernels');
  /** The library's row beside each kernel's. */
  const beside = new Map<string, string>();
  const ours = new Set<string>();
  const contenders = [
    {
      name: 'kernels',
      run: async () => {
        const lines = await jsonLines<KernelLine>(program, [
          ...volumes,
          '--planes',
          part[0],
          '--rows',
          part[1],
          '--target',
          target,
        ]);
        return lines.map(({ kernel: row, mvoxelPerSecond, found }): Measured => {
          ours.add(row);
          return { row, mvoxelPerSecond, notes: found === undefined ? {} : { found } };
        });
      },
    },
    {
      name: 'libraries.py',
      turns: 2,
      run: async () => {
        const lines = await jsonLines<KernelLine>(PYTHON, [inProject('bench/libraries.py'), ...volumes, ...part]);
        return lines.map(({ kernel, library, mvoxelPerSecond }): Measured => {
          const row = `${kernel}, ${library}`;
          beside.set(kernel, row);
          return { row, mvoxelPerSecond };
        });
      },
    },
  ];
  const compared = baseline && (await hasPython(['cv2', 'scipy', 'skimage']));
  const rows = await takeTurns(compared ? contenders : contenders.slice(0, 1), repeats, (row) => {
    if (!ours.has(row)) return {};
    // Libraries are given one kind of image and one threshold.
    const library = beside.get(row.replace(/ of float32$| above \d+$/, ''));
    return { memcpy: 'memcpy', ...(library === undefined ? {} : { library }) };
  });
  return { title: 'kernels alone, 1 thread', rows };
}
