import { takeTurns } from './contenders.js';
import { bareNodeBytes, detect } from './programs.js';
import type { Options, Section } from './section.js';
import { threadsText } from './section.js';
import { synthetic } from './volumes.js';

const MEMORY = '256MiB';
const LIMIT_BYTES = 450e6;

/** Peak memory of the command with a budget of 256 MiB, which must not follow the volume's size or the block's. */
export async function memory({ repeats, quick, threads }: Options): Promise<Section> {
  const [less, more] = quick ? [16, 64] : [64, 256];
  const most = Math.max(...threads);
  const runs: readonly { planes: number; threads: number; block?: string }[] = [
    { planes: less, threads: 1 },
    { planes: less, threads: most },
    { planes: less, threads: most, block: `${less},2048,2048` },
    { planes: more, threads: most },
    { planes: more, threads: most, block: `${more},2048,2048` },
  ];
  const bare = await bareNodeBytes();
  const contenders = [];
  for (const { planes, threads, block } of runs) {
    const volume = await synthetic(planes);
    const row = `${planes} planes, ${block ? 'one block' : 'default blocks'}, ${threadsText(threads)}`;
    const options = ['--memory', MEMORY, '--threads', String(threads), ...(block ? ['--block', block] : [])];
    const run = async () => {
      const { voxels, wallSeconds, cells, blocks, peakBytes } = await detect(volume, options);
      const notes = { blocks, cells, peakBytes, footprintBytes: peakBytes - bare };
      return [{ row, mvoxelPerSecond: voxels / wallSeconds / 1e6, notes }];
    };
    contenders.push({ name: row, run });
  }
  const rows = await takeTurns(contenders, repeats, () => ({}));
  const over = rows.filter(({ notes }) => (notes.peakBytes ?? 0) >= LIMIT_BYTES);
  for (const { name } of over) console.error(`  ${name}: at or above ${LIMIT_BYTES / 1e6} MB`);
  if (over.length > 0) process.exitCode = 1;
  return { title: `memory with a budget of ${MEMORY}, below ${LIMIT_BYTES / 1e6} MB each`, rows };
}
