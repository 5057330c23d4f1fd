/** One volume and chain for the tests of what streams do to a run, its cells, and what holds of every run. */
import assert from 'node:assert/strict';
import type { ExecutionContext } from 'ava';
import { Budget, type CellBatch, idle, runningJobs, type Zyx } from '../../index.js';
import { blockAt, blockCount } from './layouts.js';
import { type Chain, naive, rowsInLayout, type Truth } from './naive.js';
import { AMPLE_BYTES } from './recipes.js';
import { RecordingVolume } from './recordingVolume.js';
import { type Drawn, drawVolume, inMemory } from './volumes.js';
import { within } from './waiting.js';

export const chain = {
  removeBackground: null,
  maxima: { size: { z: 3, y: 3, x: 3 }, threshold: 200 },
  shape: { threshold: 300 },
  measure: ['source', 'background'],
} satisfies Chain;
export const core: Zyx = { z: 4, y: 7, x: 8 };

/** Cells and ridges over many cores. */
export const drawn: Drawn = drawVolume({ kind: 'beads', size: { z: 14, y: 20, x: 22 }, seed: 77, levels: 3 });
export const truth = naive(drawn, chain);
export const expected = rowsInLayout(truth, core, drawn.size);
export const allBlocks = blockCount(core, drawn.size);

export function volumeOf(of: Drawn = drawn): RecordingVolume {
  return new RecordingVolume(inMemory(of));
}

/** The cells of a volume when only some of the cores are there. */
export function without(of: Drawn, asked: Chain, cut: Zyx, kept: (index: number) => boolean): Truth {
  return naive(of, asked, (at) => kept(blockAt(at, cut, of.size)));
}

/** Nothing runs and nothing is held any more. */
export async function clean(t: ExecutionContext, budget: Budget): Promise<void> {
  await within(10_000, 'idle()', idle());
  t.is(budget.liveBytes, 0);
  t.is(runningJobs(), 0);
}

export function ample(): Budget {
  return new Budget({ imageBytes: AMPLE_BYTES, sparseBytes: 2 ** 20 });
}

export function onlyLastIsLast(batches: readonly CellBatch[]): void {
  assert.deepEqual(
    batches.map(({ last }) => last),
    batches.map((_, at) => at === batches.length - 1),
    'the last batch comes once, last',
  );
}

/** The center of a cell, which no other cell has. */
export function key(row: readonly number[]): string {
  return row.slice(0, 3).join(' ');
}
