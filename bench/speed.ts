/**
 * How fast the default chain is, through the command, against what a user would run instead (baseline.py: OpenCV, SciPy
 * and scikit-image on one thread). The programs take turns, so that what else the machine does falls on all of them.
 *
 *     npm run bench [-- VOLUME.npy] [-- --repeats 3] [-- --no-baseline]
 *
 * Without a volume it makes one of 64 x 2048 x 2048 voxels in the temporary folder. Seconds of the command hold everything
 * from opening the file to the renamed table; those of the baseline leave out reading and writing.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { printTable } from './table.js';
import { detect, inProject, output, PYTHON, synthetic, warm } from './volume.js';

interface Sample {
  readonly mvoxelPerSecond: number;
  readonly seconds: number;
  readonly cells: number;
  readonly peakBytes: number;
}
interface Contender {
  readonly name: string;
  readonly run: (volume: string) => Promise<Sample>;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    repeats: { type: 'string', default: '3' },
    baseline: { type: 'boolean', default: true },
  },
  allowNegative: true,
});
const volume = positionals[0] ?? (await synthetic(64));
const contenders = await available(values.baseline);
const samples = new Map<Contender, Sample[]>(contenders.map((contender) => [contender, []]));

await warm(volume);
for (let repeat = 0; repeat < Number(values.repeats); repeat++) {
  for (const contender of contenders) {
    const sample = await contender.run(volume);
    samples.get(contender)?.push(sample);
    console.error(`${contender.name}: ${sample.mvoxelPerSecond.toFixed(1)} Mvoxel/s`);
  }
}
report();

/** What there is to compare on this machine. */
async function available(baseline: boolean): Promise<Contender[]> {
  const threads = [1, 2].filter((count) => count <= availableParallelism());
  const ours = threads.map((count) => ({
    name: `somaflow, ${count} ${count === 1 ? 'thread' : 'threads'}`,
    run: (path: string) => detect(path, '--threads', String(count)),
  }));
  if (!baseline || !(await hasOpenCv())) return ours;
  return [...ours, { name: 'baseline.py, 1 thread', run: runBaseline }];
}

async function hasOpenCv(): Promise<boolean> {
  const found = await output(PYTHON, ['-c', 'import importlib.util as u; print(u.find_spec("cv2") is not None)']);
  return found.trim() === 'True';
}

async function runBaseline(path: string): Promise<Sample> {
  const line = await output(PYTHON, [inProject('bench/baseline.py'), path]);
  const figures = JSON.parse(line) as { mvoxel_per_s: number; seconds: number; cells: number; peak_mb: number };
  return {
    mvoxelPerSecond: figures.mvoxel_per_s,
    seconds: figures.seconds,
    cells: figures.cells,
    peakBytes: figures.peak_mb * 2 ** 20,
  };
}

function report(): void {
  const slowest = contenders.at(-1) as Contender;
  const reference = median(speeds(slowest));
  const rows = contenders.map((contender) => {
    const all = speeds(contender);
    const last = samples.get(contender)?.at(-1) as Sample;
    return [
      contender.name,
      median(all).toFixed(1),
      `${Math.min(...all).toFixed(1)}..${Math.max(...all).toFixed(1)}`,
      `${(median(all) / reference).toFixed(1)} x`,
      last.cells,
      (last.peakBytes / 1e6).toFixed(0),
    ];
  });
  printTable([['', 'Mvoxel/s', 'from..to', `against ${slowest.name}`, 'cells', 'peak MB'], ...rows]);
}

function speeds(contender: Contender): number[] {
  return (samples.get(contender) ?? []).map(({ mvoxelPerSecond }) => mvoxelPerSecond);
}

function median(numbers: readonly number[]): number {
  const ordered = [...numbers].sort((a, b) => a - b);
  const middle = ordered.length / 2;
  return ((ordered[Math.ceil(middle) - 1] as number) + (ordered[Math.floor(middle)] as number)) / 2;
}
