import { execFile } from 'node:child_process';
import { open, writeFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import fc from 'fast-check';
import { type FileBox, pendingReads, readStrided, readsIdle, ValueError } from '../../native/fileReader.js';
import { tempFolder } from '../support/temp.js';

const bytesOf = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 167 + (i >> 8)) & 255);

/** What the reader has to do, byte by byte. */
function expected(file: Uint8Array, boxes: readonly FileBox[], into: Uint8Array, swap16: boolean): void {
  for (const box of boxes) {
    const to = box.into ?? { offsetBytes: 0, planeStrideBytes: box.rows * box.rowBytes, rowStrideBytes: box.rowBytes };
    for (let p = 0; p < box.planes; p++)
      for (let r = 0; r < box.rows; r++)
        for (let b = 0; b < box.rowBytes; b++) {
          const at = box.offsetBytes + p * box.planeStrideBytes + r * box.rowStrideBytes + b;
          const place = to.offsetBytes + p * to.planeStrideBytes + r * to.rowStrideBytes + b;
          into[swap16 ? place ^ 1 : place] = file[at] as number;
        }
  }
}

// One after another, because they count the reads of the process.
test.serial(
  'a read fills memory as the strides say, for merged rows, small gaps, large gaps, padded memory and swapped bytes',
  async (t) => {
    const file = bytesOf(1 << 18);
    const path = join(await tempFolder(t), 'bytes');
    await writeFile(path, file);
    const handle = await open(path);
    t.teardown(() => handle.close());
    const reached = { merged: 0, smallGap: 0, largeGap: 0, padded: 0, swapped: 0, planes: 0, toTheEnd: 0 };
    const even = (max: number) => fc.nat(max).map((n) => 2 * n);
    const drawn = fc.record({
      planes: fc.integer({ min: 1, max: 4 }),
      rows: fc.integer({ min: 1, max: 5 }),
      rowBytes: even(600).map((n) => n + 2),
      rowGap: fc.oneof(fc.constant(0), even(100), even(4000)),
      planeGap: fc.oneof(fc.constant(0), even(1000)),
      start: fc.nat(1000),
      toTheEnd: fc.boolean(),
      pad: fc.option(fc.record({ offset: even(5), row: even(5), plane: even(50) })),
      swap16: fc.boolean(),
      shared: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(drawn, async (d) => {
        const rowStrideBytes = d.rowBytes + d.rowGap;
        const planeStrideBytes = d.rows * rowStrideBytes + d.planeGap;
        const extent = (d.planes - 1) * planeStrideBytes + (d.rows - 1) * rowStrideBytes + d.rowBytes;
        const { planes, rows, rowBytes } = d;
        const offsetBytes = d.toTheEnd ? file.length - extent : d.start;
        const base = { offsetBytes, planes, rows, rowBytes, planeStrideBytes, rowStrideBytes };
        const row = rowBytes + (d.pad?.row ?? 0);
        const plane = rows * row + (d.pad?.plane ?? 0);
        const box = d.pad
          ? { ...base, into: { offsetBytes: d.pad.offset, rowStrideBytes: row, planeStrideBytes: plane } }
          : base;
        const length = (d.pad?.offset ?? 0) + planes * plane;
        const memory = new Uint8Array(d.shared ? new SharedArrayBuffer(length) : new ArrayBuffer(length)).fill(7);
        const wanted = new Uint8Array(length).fill(7);
        await readStrided(handle.fd, { boxes: [box], type: 'uint16', swapped: d.swap16 }, memory);
        expected(file, [box], wanted, d.swap16);
        if (d.rowGap === 0 && d.planeGap === 0 && planes * rows > 1) reached.merged++;
        if (d.rowGap > 0 && d.rowGap <= 4096 && rows > 1) reached.smallGap++;
        if (d.rowGap > 4096 && rows > 1) reached.largeGap++;
        if (d.pad) reached.padded++;
        if (d.swap16) reached.swapped++;
        if (planes > 1) reached.planes++;
        if (d.toTheEnd) reached.toTheEnd++;
        return Buffer.compare(memory, wanted) === 0;
      }),
      { numRuns: 400 },
    );
    for (const [what, times] of Object.entries(reached)) t.true(times > 0, `no drawn case was ${what}`);
  },
);

test.serial('pieces longer than one system call reads come out whole and swapped', async (t) => {
  const file = bytesOf(5_000_002);
  const path = join(await tempFolder(t), 'bytes');
  await writeFile(path, file);
  const handle = await open(path);
  t.teardown(() => handle.close());
  const box = { offsetBytes: 0, planes: 1, rows: 1, rowBytes: file.length, planeStrideBytes: 0, rowStrideBytes: 0 };
  const memory = new Uint16Array(new SharedArrayBuffer(file.length));
  await readStrided(handle.fd, { boxes: [box], type: 'uint16', swapped: true }, memory);
  t.is(Buffer.compare(Buffer.from(memory.buffer).swap16(), file), 0);
});

test.serial('several boxes are read in one call, each to its place', async (t) => {
  const file = bytesOf(10_000);
  const path = join(await tempFolder(t), 'bytes');
  await writeFile(path, file);
  const handle = await open(path);
  t.teardown(() => handle.close());
  const boxes = [9000, 20, 5000].map((offsetBytes, i) => ({
    ...{ offsetBytes, planes: 1, rows: 3, rowBytes: 10, planeStrideBytes: 0, rowStrideBytes: 100 },
    into: { offsetBytes: 10 * i, planeStrideBytes: 0, rowStrideBytes: 30 },
  }));
  const [memory, wanted] = [new Uint8Array(90), new Uint8Array(90)];
  await readStrided(handle.fd, { boxes }, memory);
  expected(file, boxes, wanted, false);
  t.deepEqual(memory, wanted);
});

const row = (rowBytes: number, offsetBytes = 0): FileBox => {
  return { offsetBytes, planes: 1, rows: 1, rowBytes, planeStrideBytes: 0, rowStrideBytes: 0 };
};

test.serial(
  'a file that ends too early, a bad descriptor and boxes outside the memory reject with what was expected',
  async (t) => {
    const path = join(await tempFolder(t), 'bytes');
    await writeFile(path, bytesOf(100));
    const handle = await open(path);
    t.teardown(() => handle.close());
    const memory = new Uint8Array(64);
    await t.throwsAsync(readStrided(handle.fd, { boxes: [row(64, 50)] }, memory), {
      message: 'ends at byte 100, expected at least 114 bytes',
    });
    await t.throwsAsync(readStrided(handle.fd, { boxes: [row(64, 5000)] }, memory), {
      message: 'ends at byte 100, expected at least 5064 bytes',
    });
    await t.throwsAsync(readStrided(-1, { boxes: [row(64, 50)] }, memory), {
      message: 'cannot be read at byte 50: EBADF',
      code: 'EBADF',
    });
    for (const box of [row(65), row(-1), row(8, -1), { ...row(32), rows: 3 }, row(Number.NaN)]) {
      await t.throwsAsync(readStrided(handle.fd, { boxes: [box] }, memory), { instanceOf: RangeError });
    }
    t.is(pendingReads(), 0);
  },
);

test.serial(
  'an aborted read rejects with the reason, writes nothing afterwards, and readsIdle waits for the last',
  async (t) => {
    const path = join(await tempFolder(t), 'bytes');
    await writeFile(path, new Uint8Array(16 << 20).fill(1));
    const handle = await open(path);
    t.teardown(() => handle.close());
    const warnings: Error[] = [];
    process.on('warning', (warning) => warnings.push(warning));
    const aborting = new AbortController();
    const memories = Array.from({ length: 12 }, () => new Uint8Array(new SharedArrayBuffer(16 << 20)));
    const reads = memories.map((memory) => readStrided(handle.fd, { boxes: [row(16 << 20)] }, memory, aborting.signal));
    t.is(pendingReads(), 12);
    const settled = Promise.allSettled(reads);
    aborting.abort('enough');
    await readsIdle();
    t.is(pendingReads(), 0);
    const lengths = () => memories.map((memory) => memory.lastIndexOf(1));
    const before = lengths();
    t.true(
      before.some((length) => length < (16 << 20) - 1),
      'every read had ended before the abort',
    );
    t.deepEqual([...new Set((await settled).map((s) => (s.status === 'rejected' ? s.reason : 'read')))], ['enough']);
    await new Promise((resolve) => setTimeout(resolve, 50));
    t.deepEqual(lengths(), before);
    t.deepEqual(warnings, []);
    await t.throwsAsync(
      readStrided(handle.fd, { boxes: [row(1)] }, new Uint8Array(1), AbortSignal.abort(new Error('no'))),
      {
        message: 'no',
      },
    );
  },
);

const reader = new URL('../../native/fileReader.js', import.meta.url).href;
const readOften = (path: string, end: string) => `
  import { openSync } from 'node:fs';
  import { parentPort } from 'node:worker_threads';
  import { readStrided } from ${JSON.stringify(reader)};
  const fd = openSync(${JSON.stringify(path)}, 'r');
  const box = { offsetBytes: 0, planes: 1, rows: 1, rowBytes: 1 << 22, planeStrideBytes: 0, rowStrideBytes: 0 };
  const read = () => readStrided(fd, { boxes: [box] }, new Uint8Array(1 << 22));
  ${end}`;

test.serial('a process ends by itself once its reads have settled, and not before', async (t) => {
  const folder = await tempFolder(t);
  await writeFile(join(folder, 'bytes'), new Uint8Array(1 << 22));
  const program = readOften(join(folder, 'bytes'), "read().then(read).then(() => console.log('read twice'));");
  await writeFile(join(folder, 'program.mjs'), program);
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'program.mjs')], { timeout: 20_000 });
  t.is(stdout, 'read twice\n');
});

test.serial('a worker that is terminated amid reads takes nothing down with it', async (t) => {
  const folder = await tempFolder(t);
  await writeFile(join(folder, 'bytes'), new Uint8Array(1 << 22));
  const end = "for (let i = 0; i < 40; i++) read().catch(() => {}); parentPort.postMessage('reading');";
  await writeFile(join(folder, 'worker.mjs'), readOften(join(folder, 'bytes'), end));
  for (let i = 0; i < 5; i++) {
    const worker = new Worker(join(folder, 'worker.mjs'));
    await new Promise((resolve) => worker.once('message', resolve));
    await worker.terminate();
  }
  const handle = await open(join(folder, 'bytes'));
  t.teardown(() => handle.close());
  await t.notThrowsAsync(readStrided(handle.fd, { boxes: [row(10)] }, new Uint8Array(10)));
});

test.serial(
  'pieces longer than the scratch are narrowed whole, and the first value that is no uint16 is told',
  async (t) => {
    const count = 300_001;
    const values = Uint32Array.from({ length: count }, (_, i) => (i * 40503) & 0xffff);
    const path = join(await tempFolder(t), 'values');
    await writeFile(path, values);
    const handle = await open(path);
    t.teardown(() => handle.close());
    const swapped = endianness() === 'BE';
    const memory = new Uint16Array(count);
    const layout = { boxes: [row(4 * count)], type: 'uint32', swapped } as const;
    await readStrided(handle.fd, layout, memory);
    t.true(memory.every((value, i) => value === values[i]));
    values[200_000] = 1 << 16;
    values[200_001] = 1 << 17;
    await writeFile(path, values);
    await t.throwsAsync(readStrided(handle.fd, layout, memory), {
      instanceOf: ValueError,
      message: 'value 200000 is 65536, expected 0..65535',
    });
  },
);

test.serial('boxes of broken values and memory that is not aligned for them are refused', async (t) => {
  const path = join(await tempFolder(t), 'bytes');
  await writeFile(path, bytesOf(100));
  const handle = await open(path);
  t.teardown(() => handle.close());
  const memory = new Uint8Array(64);
  const refused = { instanceOf: RangeError };
  await t.throwsAsync(readStrided(handle.fd, { boxes: [row(7)], type: 'uint16' }, memory), refused);
  await t.throwsAsync(readStrided(handle.fd, { boxes: [row(6)], type: 'uint32' }, memory), refused);
  await t.throwsAsync(readStrided(handle.fd, { boxes: [row(8)], type: 'float32' }, memory.subarray(2)), refused);
  const into = { offsetBytes: 1, planeStrideBytes: 0, rowStrideBytes: 0 };
  await t.throwsAsync(readStrided(handle.fd, { boxes: [{ ...row(8), into }], type: 'int16' }, memory), refused);
  await t.notThrowsAsync(readStrided(handle.fd, { boxes: [{ ...row(8), into }] }, memory));
});

test.serial('boxes without bytes read nothing, whatever their strides', async (t) => {
  const path = join(await tempFolder(t), 'bytes');
  await writeFile(path, bytesOf(100));
  const handle = await open(path);
  t.teardown(() => handle.close());
  const memory = new Uint8Array(4).fill(7);
  const empty = [{ rows: 0 }, { planes: 0 }, { rowBytes: 0, rows: 5 }, { rowBytes: 0, planes: 3, offsetBytes: 500 }];
  await readStrided(handle.fd, { boxes: empty.map((none) => ({ ...row(4), ...none })) }, memory);
  await readStrided(handle.fd, { boxes: [] }, memory);
  t.deepEqual([...memory], [7, 7, 7, 7]);
});
