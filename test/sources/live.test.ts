import test from 'ava';
import fc from 'fast-check';
import { OptionError, SourceError } from '../../core/errors.js';
import { liveVolume } from '../../sources/live.js';
import { cut, readRegion, same, someVoxels } from '../support/reading.js';
import { someStored } from '../support/stored.js';

const [y, x] = [3, 4];
const pixels = y * x;
const data = someVoxels(40 * pixels);
const plane = (z: number) => data.slice(z * pixels, (z + 1) * pixels);
const planes = (start: number, stop: number) => ({ start: { z: start, y: 0, x: 0 }, stop: { z: stop, y, x } });
const never = new AbortController().signal;
const turn = () => new Promise((resolve) => setImmediate(resolve));
/** Whether the promise has settled by now. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let is = false;
  const note = () => {
    is = true;
  };
  promise.then(note, note);
  await turn();
  return is;
}

test('a reader gets every plane as it was written, whoever is faster, with never more than the buffer kept', async (t) => {
  const reached = { producerWaited: 0, readerWaited: 0, unknownDepth: 0, reusedPlane: 0 };
  const drawn = fc.record({
    count: fc.integer({ min: 1, max: 30 }),
    buffer: fc.integer({ min: 1, max: 6 }),
    depth: fc.integer({ min: 1, max: 6 }),
    known: fc.boolean(),
    producerTurns: fc.nat(2),
    readerTurns: fc.nat(2),
  });
  await fc.assert(
    fc.asyncProperty(drawn, async ({ count, buffer, depth: asked, known, producerTurns, readerTurns }) => {
      const depth = Math.min(asked, buffer);
      const live = liveVolume({ size: { y, x }, buffer, ...(known ? { planes: count } : {}) });
      let [taken, released] = [0, 0];
      const produce = async () => {
        const own = new Uint16Array(pixels);
        for (let z = 0; z < count; z++) {
          for (let i = 0; i < producerTurns; i++) await turn();
          own.set(plane(z));
          const write = live.write(own);
          if (!(await settled(write))) reached.producerWaited++;
          await write;
          // The producer's array is its own again once the write has resolved.
          own.fill(0xffff);
          reached.reusedPlane++;
          taken++;
          t.true(taken - released <= buffer);
        }
        live.end();
      };
      const consume = async () => {
        const size = { z: count, y, x };
        let end = known ? count : Number.POSITIVE_INFINITY;
        for (let z = 0; z < end; z += depth) {
          for (let i = 0; i < readerTurns; i++) await turn();
          if (!known) {
            const there = await live.volume.arrived?.(z + depth, never);
            if ((there as number) < z + depth) end = there as number;
            if (z >= end) break;
          }
          const region = planes(z, Math.min(z + depth, end));
          const read = readRegion(live.volume, region);
          if (!(await settled(read))) reached.readerWaited++;
          t.true(same(await read, cut(data, size, region)));
          released = region.stop.z;
          live.volume.release?.(released);
        }
        t.is(released, count);
      };
      if (!known) reached.unknownDepth++;
      await Promise.all([produce(), consume()]);
    }),
    { numRuns: 150 },
  );
  for (const [what, times] of Object.entries(reached)) t.true(times > 0, `no drawn case was ${what}`);
});

test('writes wait in their order while the buffer is full, and a withdrawn one leaves no gap', async (t) => {
  const { volume, write } = liveVolume({ size: { y, x }, buffer: 2 });
  await Promise.all([write(plane(0)), write(plane(1))]);
  const aborting = new AbortController();
  const [third, withdrawn, fourth] = [write(plane(2)), write(plane(9), aborting), write(plane(3))];
  t.false(await settled(third));
  aborting.abort(new Error('changed my mind'));
  await t.throwsAsync(withdrawn, { message: 'changed my mind' });
  volume.release?.(1);
  t.true(await settled(third));
  t.false(await settled(fourth));
  volume.release?.(2);
  await fourth;
  t.true(same(await readRegion(volume, planes(2, 4)), data.slice(2 * pixels, 4 * pixels)));
});

test('a region within the planes reads as its rows and columns', async (t) => {
  const { volume, write } = liveVolume({ size: { y, x }, buffer: 4 });
  for (let z = 0; z < 4; z++) await write(plane(z));
  const region = { start: { z: 1, y: 1, x: 1 }, stop: { z: 3, y: 3, x: 3 } };
  t.true(same(await readRegion(volume, region), cut(data, { z: 4, y, x }, region)));
});

test('the volume says what it keeps, and its depth only where it is known', (t) => {
  const { volume } = liveVolume({ size: { y, x }, buffer: 5, id: 'scope' });
  t.like(volume, { id: 'scope', size: { z: null, y, x }, keepsPlanes: 5, chunks: { z: 1, y, x }, dtype: 'uint16' });
  t.is(liveVolume({ size: { y, x }, buffer: 5, planes: 9 }).volume.size.z, 9);
});

test('a read of a released plane is an error that names it', async (t) => {
  const { volume, write } = liveVolume({ size: { y, x }, buffer: 2, id: 'scope' });
  await write(plane(0));
  const waiting = readRegion(volume, planes(0, 2));
  t.false(await settled(waiting));
  volume.release?.(1);
  const gone = { instanceOf: SourceError, message: 'scope: plane 0 is gone, expected a read of plane 1 or later' };
  await t.throwsAsync(waiting, gone);
  await t.throwsAsync(readRegion(volume, planes(0, 1)), gone);
});

test('a read of more planes than the buffer holds is an error at once', async (t) => {
  const { volume } = liveVolume({ size: { y, x }, buffer: 2, id: 'scope' });
  await t.throwsAsync(readRegion(volume, planes(0, 3)), {
    instanceOf: SourceError,
    message: 'scope: read of 3 planes at once, expected at most 2, the buffer',
  });
});

test('an end that comes too early rejects the reads that wait for more, and only those', async (t) => {
  const { volume, write, end } = liveVolume({ size: { y, x }, buffer: 4, planes: 5, id: 'scope' });
  await write(plane(0));
  const [read, arrived] = [readRegion(volume, planes(0, 2)), volume.arrived?.(2, never)];
  end();
  const early = { instanceOf: SourceError, message: 'scope: ended after 1 planes, expected 5' };
  await t.throwsAsync(read, early);
  await t.throwsAsync(arrived as Promise<number>, early);
  t.true(same(await readRegion(volume, planes(0, 1)), plane(0)));
  t.is(await volume.arrived?.(1, never), 1);
});

test('an end of unknown depth takes what was written before it, tells the depth, and rejects reads beyond', async (t) => {
  const { volume, write, end } = liveVolume({ size: { y, x }, buffer: 2, id: 'scope' });
  const writes = [0, 1, 2].map((z) => write(plane(z)));
  const [arrived, beyond] = [volume.arrived?.(9, never), readRegion(volume, planes(3, 4))];
  end();
  await t.throwsAsync(write(plane(3)), { instanceOf: OptionError, message: /written before end\(\), got 'plane 3'$/ });
  t.false(await settled(arrived as Promise<number>));
  volume.release?.(1);
  await Promise.all(writes);
  t.is(await arrived, 3);
  await t.throwsAsync(beyond, { instanceOf: SourceError, message: 'scope: plane 3, expected one of the 3 that came' });
  t.true(same(await readRegion(volume, planes(2, 3)), plane(2)));
});

test('an end whose last waiting write is withdrawn is an end all the same', async (t) => {
  const { volume, write, end } = liveVolume({ size: { y, x }, buffer: 1 });
  await write(plane(0));
  const aborting = new AbortController();
  const waiting = write(plane(1), aborting);
  const arrived = volume.arrived?.(2, never);
  end();
  aborting.abort(new Error('withdrawn'));
  await t.throwsAsync(waiting, { message: 'withdrawn' });
  t.is(await arrived, 1);
});

test('a failure rejects whatever waits and comes, with its cause', async (t) => {
  const { volume, write, fail } = liveVolume({ size: { y, x }, buffer: 1, id: 'scope' });
  await write(plane(0));
  const cause = new Error('the laser is off');
  const waiting = [write(plane(1)), readRegion(volume, planes(1, 2)), volume.arrived?.(2, never) as Promise<number>];
  fail(cause);
  const failed = { instanceOf: SourceError, message: 'scope: acquisition failed: the laser is off' };
  for (const promise of waiting) t.is((await t.throwsAsync(promise, failed))?.cause, cause);
  await t.throwsAsync(write(plane(1)), failed);
  await t.throwsAsync(readRegion(volume, planes(0, 1)), failed);
});

test('an aborted read or wait rejects with the reason, and more than ten of them warn of no leak', async (t) => {
  const warnings: Error[] = [];
  process.on('warning', (warning) => warnings.push(warning));
  const { volume } = liveVolume({ size: { y, x }, buffer: 2 });
  const aborting = new AbortController();
  const reads = Array.from({ length: 15 }, () => readRegion(volume, planes(0, 1), aborting.signal));
  const arrived = volume.arrived?.(1, aborting.signal) as Promise<number>;
  await turn();
  aborting.abort(new Error('stop'));
  for (const promise of [...reads, arrived]) await t.throwsAsync<Error>(promise, { message: 'stop' });
  await turn();
  t.deepEqual(warnings, []);
});

test('planes of another length, one plane too many, and numbers that are none are refused', async (t) => {
  const { write } = liveVolume({ size: { y, x }, buffer: 3, planes: 1 });
  await t.throwsAsync(write(new Uint16Array(11)), {
    instanceOf: OptionError,
    message: "liveVolume.write: plane must be a Uint16Array of 12 pixels, got 'Uint16Array of 11'",
  });
  await write(plane(0));
  await t.throwsAsync(write(plane(1)), {
    instanceOf: OptionError,
    message: /must be one of 1, as planes says, got 'plane 1'$/,
  });
  t.throws(() => liveVolume({ size: { y, x }, buffer: 0 }), { instanceOf: OptionError });
  t.throws(() => liveVolume({ size: { y: 1.5, x }, buffer: 1 }), { instanceOf: OptionError });
  t.throws(() => liveVolume({ size: { y, x }, buffer: 1, planes: 0 }), { instanceOf: OptionError });
});

test('planes of each type come back as they were written, and no other type is taken', async (t) => {
  for (const dtype of ['uint8', 'uint16', 'float32'] as const) {
    const live = liveVolume({ size: { y, x }, buffer: 2, planes: 2, dtype });
    const written = someStored(dtype, 2 * pixels);
    t.is(live.volume.dtype, dtype);
    await live.write(written.slice(0, pixels));
    await live.write(written.slice(pixels));
    t.true(same(await readRegion(live.volume, planes(0, 2)), written));
    const other = dtype === 'uint8' ? new Uint16Array(pixels) : new Uint8Array(pixels);
    await t.throwsAsync(live.write(other as Uint8Array), {
      instanceOf: OptionError,
      message: /, got 'Uint\d+Array of 12'$/,
    });
  }
  t.throws(() => liveVolume({ size: { y, x }, buffer: 2, dtype: 'int16' as 'uint16' }), {
    instanceOf: OptionError,
    message: "liveVolume: dtype must be one of uint8, uint16, float32, got 'int16'",
  });
});
