/** Volumes and budgets that leave a run no more memory than it needs. */
import { Budget, BudgetError, type CellsOptions, SourceError, type Zyx } from '../../index.js';
import { detect, type Run } from './detect.js';
import type { Chain } from './naive.js';
import { random } from './random.js';
import { RecordingVolume } from './recordingVolume.js';
import { type Drawn, inMemory } from './volumes.js';

export const broken = new SourceError('drawn', 'the disk is gone');

/** The least image memory that a run accepts, from the refusal of a run that has none to speak of. */
export async function leastImageBytes(
  drawn: Drawn,
  chain: Chain,
  core: Zyx,
  sparseBytes: number,
  options: CellsOptions,
  asked: Pick<Run, 'layout' | 'saves'> = {},
): Promise<number> {
  const memory = new Budget({ imageBytes: 1, sparseBytes });
  const refusal = await detect(drawn, chain, { ...asked, core, options: { ...options, memory } }).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(refusal instanceof BudgetError)) throw new Error(`a budget of 1 byte was not refused but: ${String(refusal)}`);
  return refusal.neededBytes;
}

/** Noise in which about one voxel in thirty is a cell. */
export const busy: Drawn = (() => {
  const size = { z: 32, y: 48, x: 48 };
  const next = random(11);
  return { size, data: Uint16Array.from({ length: size.z * size.y * size.x }, () => 100 + Math.floor(next() * 3000)) };
})();

export const busyChain: Chain = {
  removeBackground: null,
  maxima: { size: { z: 3, y: 3, x: 3 }, threshold: 0 },
  shape: { threshold: 2700 },
  measure: ['source', 'background'],
};
export const busyCore: Zyx = { z: 2, y: 48, x: 48 };

/** A budget with no more image memory than the busy volume takes, and a sparse share. */
export async function tight(sparseBytes: number): Promise<Budget> {
  return new Budget({
    imageBytes: await leastImageBytes(busy, busyChain, busyCore, sparseBytes, { threads: 2 }),
    sparseBytes,
  });
}

/** A volume whose reads take a while, as those of files do, so that a run is not over before its first batch. */
export function recorded(drawn: Drawn, watch: () => void = () => {}): RecordingVolume {
  return new RecordingVolume(inMemory(drawn), { watch, readMs: 8 });
}
