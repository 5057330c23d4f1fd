/** What `plan()` tells of a run, beside what the run does. */
import test from 'ava';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { BudgetError, blocks, cells, maxima, type Progress, plan, removeBackground, shape, steps } from '../index.js';
import { core, volumeOf } from './support/stream.js';

const chain = steps(removeBackground({ size: 5 }), maxima({ size: 3 }), shape({ threshold: 300 }));

test('plan() tells the blocks, voxels and bytes that the run then takes, and reads nothing', async (t) => {
  const volume = volumeOf();
  const told = await firstValueFrom(blocks(volume, { size: core }).pipe(chain, plan({ memory: '64 MiB', threads: 2 })));
  t.is(volume.bytesRead, 0);
  const states: Progress[] = [];
  const progress = { next: (state: Progress) => void states.push(state) };
  await lastValueFrom(blocks(volume, { size: core }).pipe(chain, cells({ memory: '64 MiB', threads: 2, progress })));
  t.like(states.at(-1), { blocks: told.blocks, voxels: told.voxels, bytesRead: told.bytesToRead });
  t.true(told.blockBytes > 0 && told.blockBytes <= told.imageBytes);
  t.true(told.expectedSeconds > 0 && Number.isFinite(told.expectedSeconds));
});

test('plan() refuses a memory in which no block fits, as the run does', async (t) => {
  const told = firstValueFrom(blocks(volumeOf(), { size: core }).pipe(chain, plan({ memory: 64 * 1024 })));
  await t.throwsAsync(told, { instanceOf: BudgetError });
});
