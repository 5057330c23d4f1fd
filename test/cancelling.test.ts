/** Ending a run, or a read, before it is done. */
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { lastValueFrom, toArray } from 'rxjs';
import { BlockError, Budget, blocks, cells, idle, runningJobs, type Volume, type Zyx } from '../index.js';
import { broken, busy, busyChain, busyCore } from './support/budgets.js';
import { asked } from './support/detect.js';
import { random } from './support/random.js';
import { AMPLE_BYTES } from './support/recipes.js';
import { RecordingVolume } from './support/recordingVolume.js';
import { inMemory } from './support/volumes.js';
import { settled, until, within } from './support/waiting.js';

/** A volume of any size whose every plane is the same noise. */
function endless(size: Zyx, watch: () => void = () => {}): Volume & { reads: number } {
  const next = random(5);
  const plane = Uint16Array.from({ length: size.y * size.x }, () => 100 + Math.floor(next() * 1000));
  return {
    id: 'endless',
    size,
    dtype: 'uint16',
    reads: 0,
    async read({ start, stop }, into, signal) {
      this.reads += 1;
      watch();
      let to = 0;
      for (let z = start.z; z < stop.z; z++)
        for (let y = start.y; y < stop.y; y++) {
          into.set(plane.subarray(y * size.x + start.x, y * size.x + stop.x), to);
          to += stop.x - start.x;
        }
      signal.throwIfAborted();
    },
  };
}

test.serial('unsubscribing midway stops native work and reads within 500 ms', async (t) => {
  const size = { z: 400, y: 1024, x: 1024 };
  const volume = endless(size);
  const pipeline = asked(blocks(volume, { size: { z: 200, y: 1024, x: 1024 } }), {
    removeBackground: { size: { y: 30, x: 30 } },
    maxima: { size: { z: 5, y: 5, x: 5 }, threshold: 0 },
    shape: { threshold: 1050 },
    measure: ['source'],
  }).pipe(cells({ threads: 1, target: 'portable' }));
  let batches = 0;
  let ended = false;
  const subscription = pipeline.subscribe({
    next: () => {
      batches += 1;
    },
    complete: () => {
      ended = true;
    },
  });
  await until('native work has begun', () => volume.reads > 0 && runningJobs() > 0);
  await sleep(50);
  t.false(ended, 'there is work left to stop');
  const start = performance.now();
  subscription.unsubscribe();
  await idle();
  const took = performance.now() - start;
  t.is(runningJobs(), 0);
  t.true(took < 500, `it took ${took} ms`);
  const after = { reads: volume.reads, batches };
  await sleep(100);
  t.deepEqual({ reads: volume.reads, batches }, after, 'nothing is read or delivered afterwards');
});

test.serial('unsubscribing while one large component is flooded stops it within 500 ms', async (t) => {
  const size = { z: 16, y: 1024, x: 1024 };
  const volume = endless(size);
  let ended = false;
  const subscription = asked(blocks(volume, { size }), {
    removeBackground: null,
    maxima: { size: { z: 3, y: 3, x: 3 }, threshold: 0 },
    shape: { threshold: null },
    measure: ['source'],
  })
    .pipe(cells({ threads: 1, memory: 2 ** 31 }))
    .subscribe({
      complete: () => {
        ended = true;
      },
    });
  // All planes are read; what is left is the flood of 16 Mvoxel, about a second of work.
  await until('the planes are read', () => volume.reads > 0);
  await settled(() => volume.reads, 60);
  t.false(ended, 'there is work left to stop');
  t.true(runningJobs() > 0, 'a native job is at work');
  const start = performance.now();
  subscription.unsubscribe();
  await idle();
  const took = performance.now() - start;
  t.true(took < 500, `it took ${took} ms`);
  t.is(runningJobs(), 0);
});

test.serial('idle() waits for a read that cannot stop, because its buffer is still written to', async (t) => {
  const budget = new Budget({ imageBytes: AMPLE_BYTES, sparseBytes: 2 ** 20 });
  const volume = new RecordingVolume(inMemory(busy), { deaf: true, hangFrom: 1 });
  const subscription = asked(blocks(volume, { size: busyCore }), busyChain)
    .pipe(cells({ memory: budget, threads: 2 }))
    .subscribe();
  await until('a read hangs', () => volume.regions.length > 1 && volume.underWay > 0);
  subscription.unsubscribe();
  let resolved = false;
  const quiet = idle().then(() => {
    resolved = true;
  });
  await sleep(100);
  t.false(resolved, 'idle() resolved while a read was under way');
  t.true(budget.liveBytes > 0, 'the buffer of that read is still on the budget');
  volume.letGo();
  await within(5000, 'idle()', quiet);
  t.is(volume.underWay, 0);
  t.is(budget.liveBytes, 0);
});

test.serial('unsubscribing while reads hang aborts them and leaves nothing', async (t) => {
  const budget = new Budget({ imageBytes: AMPLE_BYTES, sparseBytes: 2 ** 20 });
  const volume = new RecordingVolume(inMemory(busy), { hangFrom: 2 });
  const subscription = asked(blocks(volume, { size: busyCore }), busyChain)
    .pipe(cells({ memory: budget, threads: 2 }))
    .subscribe({ error: (error) => t.fail(`cancelling is not an error: ${error}`) });
  await until('a read hangs', () => volume.regions.length > 2 && volume.underWay > 0);
  subscription.unsubscribe();
  await within(2000, 'idle()', idle());
  t.true(volume.stopped > 0);
  t.is(volume.underWay, 0);
  t.is(budget.liveBytes, 0);
});

test.serial('block.voxels() gives its memory back when it is done, fails or is aborted', async (t) => {
  const described = (volume: Volume) => lastValueFrom(blocks(volume, { size: busyCore }).pipe(toArray()));
  const stuck = new RecordingVolume(inMemory(busy), { hangFrom: 0 });
  const stop = new AbortController();
  const pending = (await described(stuck))[1]?.voxels('source', { signal: stop.signal });
  await until('the read hangs', () => stuck.underWay > 0);
  stop.abort(new Error('enough'));
  await t.throwsAsync(pending as Promise<unknown>, { message: /enough/ });
  await within(2000, 'idle()', idle());
  t.is(stuck.underWay, 0);
  t.is(runningJobs(), 0);

  const failing = new RecordingVolume(inMemory(busy), { failure: { read: 0, error: broken } });
  const error = await t.throwsAsync((await described(failing))[1]?.voxels('source') as Promise<unknown>, {
    instanceOf: BlockError,
  });
  t.is((error as BlockError).cause, broken);
  t.deepEqual((error as BlockError).region.start, { z: 2, y: 0, x: 0 });
  await within(2000, 'idle()', idle());
});
