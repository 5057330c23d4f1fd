/** Volumes whose planes come while the run goes on. */
import test from 'ava';
import { lastValueFrom, take, tap } from 'rxjs';
import { Budget, BudgetError, blocks, type CellBatch, cells, liveVolume, SourceError, type Zyx } from '../index.js';
import { asked, detect, rowsOf } from './support/detect.js';
import { naive, rowsInLayout } from './support/naive.js';
import { ample, chain, clean, drawn, onlyLastIsLast, without } from './support/stream.js';
import { type Drawn, drawVolume } from './support/volumes.js';
import { settled, until, within } from './support/waiting.js';

/** Writes planes one by one, each when there is room for it. */
async function writePlanes(
  live: ReturnType<typeof liveVolume>,
  { data, size }: Drawn,
  to = size.z,
  first = 0,
): Promise<void> {
  const pixels = size.y * size.x;
  for (let z = first; z < to; z++) await live.write(data.slice(z * pixels, (z + 1) * pixels));
}

/** The first planes of a volume. */
function top({ data, size }: Drawn, planes: number): Drawn {
  return { data: data.slice(0, planes * size.y * size.x), size: { ...size, z: planes } };
}

const slab = 4;
const liveCore: Zyx = { z: slab, y: drawn.size.y, x: drawn.size.x };
const extent = { y: drawn.size.y, x: drawn.size.x };

for (const planes of [undefined, drawn.size.z]) {
  const known = planes === undefined ? 'unknown' : 'known';
  test.serial(
    `a live volume of ${known} depth gives the cells of its planes, also where the last slab is short`,
    async (t) => {
      for (const depth of planes === undefined ? [1, 3, 4, 5, 8, 13, 14] : [planes]) {
        const budget = ample();
        const live = liveVolume({ size: extent, buffer: 12, ...(planes === undefined ? {} : { planes }) });
        const found = detect(live.volume, chain, { core: liveCore, options: { memory: budget } });
        await within(10_000, 'writing the planes', writePlanes(live, drawn, depth));
        live.end();
        const { rows, batches, progress } = await within(10_000, 'the run', found);
        const seen = top(drawn, depth);
        t.deepEqual(rows, rowsInLayout(naive(seen, chain), liveCore, seen.size), `${depth} planes`);
        onlyLastIsLast(batches);
        t.is(batches.at(-1)?.finalTo, depth);
        t.is(progress.blocks, Math.ceil(depth / slab));
        await clean(t, budget);
      }
    },
  );
}

test.serial(
  'a live volume that ends with fewer planes than it promised ends the run with an error, and leaves nothing',
  async (t) => {
    for (const depth of [0, 5, 13]) {
      const budget = ample();
      const live = liveVolume({ size: extent, buffer: 12, planes: 14 });
      const batches: CellBatch[] = [];
      const outcome = t.throwsAsync(
        lastValueFrom(
          asked(blocks(live.volume, { size: liveCore }), chain).pipe(
            cells({ memory: budget }),
            tap((batch) => batches.push(batch)),
          ),
        ),
      );
      await within(10_000, 'writing the planes', writePlanes(live, drawn, depth));
      live.end();
      const error = await within(10_000, 'the run', outcome);
      t.true(
        causes(error).some((cause) => cause instanceof SourceError),
        String(error),
      );
      t.false(batches.some(({ last }) => last));
      await clean(t, budget);
    }
  },
);

test.serial('a live volume that ends before its first plane gives one last batch', async (t) => {
  const live = liveVolume({ size: extent, buffer: 12 });
  const found = detect(live.volume, chain, { core: liveCore });
  live.end();
  const { rows, batches } = await within(10_000, 'the run', found);
  t.deepEqual(rows, []);
  onlyLastIsLast(batches);
});

test.serial('blocks of a live volume come as its planes do', async (t) => {
  const live = liveVolume({ size: extent, buffer: 12 });
  const seen: number[] = [];
  let complete = false;
  blocks(live.volume, { size: liveCore }).subscribe({
    next: ({ core }) => seen.push(core.stop.z),
    complete: () => {
      complete = true;
    },
  });
  t.deepEqual(seen, []);
  await writePlanes(live, drawn, slab);
  await until('the first block is there', () => seen.length === 1);
  t.false(complete);
  await writePlanes(live, drawn, slab + 2, slab);
  await settled(() => seen.length, 20);
  t.deepEqual(seen, [slab]);
  live.end();
  await until('the stream completes', () => complete);
  t.deepEqual(seen, [slab, slab + 2]);
});

test.serial('cells of a live volume are out before its last plane is written', async (t) => {
  const spots = drawVolume({ kind: 'speckle', size: drawn.size, seed: 5, levels: 2 });
  const whole = naive(spots, chain);
  const live = liveVolume({ size: extent, buffer: 12 });
  const rows: number[][] = [];
  const done = lastValueFrom(
    asked(blocks(live.volume, { size: liveCore }), chain).pipe(
      cells(),
      tap((batch) => rows.push(...rowsOf(batch.cells))),
    ),
  );
  await writePlanes(live, spots, 3 * slab);
  // What lies in the first slab is certain once the planes that its windows reach have come.
  const early = whole.cells.filter(({ component }) => (whole.components[component]?.box.stop.z ?? 0) <= slab);
  t.true(early.length > 0);
  await until('the cells of the first slab are out', () => rows.length >= early.length);
  await writePlanes(live, spots, spots.size.z, 3 * slab);
  live.end();
  await done;
  t.deepEqual(rows, rowsInLayout(whole, liveCore, spots.size));
});

test.serial('the producer of a live volume waits while the chain is behind', async (t) => {
  const live = liveVolume({ size: extent, buffer: 8 });
  let written = 0;
  const producing = (async () => {
    for (let z = 0; z < drawn.size.z; z++) {
      await writePlanes(live, drawn, z + 1, z);
      written += 1;
    }
    live.end();
  })();
  const waiting = await settled(() => written, 50);
  t.is(waiting, 8, 'as many planes are taken as are kept');
  const small: Zyx = { ...liveCore, z: 2 };
  const { rows } = await within(10_000, 'the run', detect(live.volume, chain, { core: small }));
  await producing;
  t.deepEqual(rows, rowsInLayout(naive(drawn, chain), small, drawn.size));
});

test.serial('planes are kept for a block that waits for memory', async (t) => {
  const small: Zyx = { ...liveCore, z: 2 };
  const run = (imageBytes: number) => {
    const live = liveVolume({ size: extent, buffer: 8 });
    const memory = new Budget({ imageBytes, sparseBytes: 2 ** 20 });
    return { live, found: detect(live.volume, chain, { core: small, options: { memory } }) };
  };
  const tooSmall = run(1);
  await writePlanes(tooSmall.live, drawn, 4);
  const refusal = await t.throwsAsync(tooSmall.found, { instanceOf: BudgetError });
  // With memory for one block the next one is known, and waits, while the planes behind the first are released.
  const { live, found } = run((refusal as BudgetError).neededBytes);
  const written = writePlanes(live, drawn).then(() => live.end());
  const { rows } = await within(20_000, 'the run', found);
  await written;
  t.deepEqual(rows, rowsInLayout(naive(drawn, chain), small, drawn.size));
});

test.serial('a live volume that fails ends the run with its error, and leaves nothing', async (t) => {
  for (const planes of [0, 2, 9]) {
    const budget = ample();
    const live = liveVolume({ size: extent, buffer: 12 });
    const failure = new Error('the camera was unplugged');
    const found = detect(live.volume, chain, { core: liveCore, options: { memory: budget } });
    const outcome = t.throwsAsync(within(10_000, 'the run', found));
    await writePlanes(live, drawn, planes);
    live.fail(failure);
    const error = (await outcome) as Error;
    t.true(causes(error).includes(failure), `the cause of ${error} is what was said`);
    await clean(t, budget);
  }
});

/** An error and what it says caused it. */
function causes(error: unknown): unknown[] {
  return error instanceof Error ? [error, ...causes(error.cause)] : [];
}

test.serial('unsubscribing from a live run that waits for planes leaves nothing', async (t) => {
  const budget = ample();
  const live = liveVolume({ size: extent, buffer: 12 });
  const subscription = asked(blocks(live.volume, { size: liveCore }), chain)
    .pipe(cells({ memory: budget }))
    .subscribe();
  await writePlanes(live, drawn, 5);
  subscription.unsubscribe();
  await clean(t, budget);
});

test.serial('take on the blocks of a live volume gives the cells of the slabs taken', async (t) => {
  const live = liveVolume({ size: extent, buffer: drawn.size.z });
  const found = detect(live.volume, chain, { core: liveCore, arrange: take(2) });
  await writePlanes(live, drawn);
  live.end();
  const { rows } = await within(10_000, 'the run', found);
  t.deepEqual(
    rows,
    rowsInLayout(
      without(drawn, chain, liveCore, (index) => index < 2),
      liveCore,
      drawn.size,
    ),
  );
});
