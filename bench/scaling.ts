import { type Contender, takeTurns } from './contenders.js';
import { bareNodeBytes, detect } from './programs.js';
import { type Options, type Section, threadsText } from './section.js';
import { hasRoom, synthetic, voxelsOf, warm } from './volumes.js';

/** What a voxel costs the default chain, and memory, of volumes from 128 MiB to 4 GiB; without the process's start, which no volume changes. */
export async function scaling({ repeats, quick }: Options): Promise<Section> {
  const bare = await bareNodeBytes();
  const contenders: Contender[] = [];
  for (const planes of quick ? [4, 16, 64] : [16, 64, 256, 512]) {
    const bytes = 2 * voxelsOf(planes);
    if (!(await hasRoom(bytes))) {
      console.error(`  ${mebibytes(planes)} left out: no room in the temporary folder`);
      continue;
    }
    const volume = await synthetic(planes);
    await warm(volume);
    const row = mebibytes(planes);
    const run = async () => {
      const { mvoxelPerSecond, cells, peakBytes } = await detect(volume, ['--threads', '1']);
      const notes = { nsPerVoxel: 1e3 / mvoxelPerSecond, cells, peakBytes, footprintBytes: peakBytes - bare };
      return [{ row, mvoxelPerSecond, notes }];
    };
    contenders.push({ name: row, run });
  }
  const first = contenders[0]?.name ?? '';
  return {
    title: `scaling of the default chain once started, ${threadsText(1)}`,
    rows: await takeTurns(contenders, repeats, () => ({ smallest: first })),
  };
}

function mebibytes(planes: number): string {
  return `${(2 * voxelsOf(planes)) / 2 ** 20} MiB`;
}
