/** Files that a disk, a network or a program broke: none may give voxels that are not in the file, hang or end the process. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { SourceError } from '../../core/errors.js';
import type { Volume, Voxels } from '../../core/volume.js';
import { type StoredType, storedTypes } from '../../native/fileReader.js';
import { npy } from '../../sources/npy.js';
import { tiffSeries } from '../../sources/tiffSeries.js';
import { tissueMask } from '../../sources/tissueMask.js';
import { runs } from '../support/random.js';
import { readRegion, same, whole } from '../support/reading.js';
import { numberTypes, someStored, storedBytes } from '../support/stored.js';
import { tempFolder } from '../support/temp.js';
import { tiffBytes, tiffPagesBytes } from '../support/tiff.js';

const size = { z: 2, y: 9, x: 11 };
const pixels = size.y * size.x;

/** What is done to a file: it is cut to a part of its length, or some bytes become others. */
interface Damage {
  readonly keep?: number;
  readonly flips?: readonly { readonly at: number; readonly with: number }[];
}

const part = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
/** Headers are short, so half of the flips are near the beginning. */
const place = fc.oneof(
  part,
  part.map((at) => at * 0.2),
);
const flip = fc.record({
  at: place,
  with: fc.oneof(fc.constantFrom(1, 2, 4, 0x80, 0xff), fc.integer({ min: 1, max: 255 })),
});
const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({ keep: part }),
  fc.record({ flips: fc.array(flip, { minLength: 1, maxLength: 3 }) }),
);

function damaged(file: Buffer, { keep = 1, flips = [] }: Damage): Buffer {
  const broken = Buffer.from(file.subarray(0, Math.floor(keep * file.length)));
  for (const { at, with: bits } of flips) {
    const place = Math.floor(at * broken.length);
    broken[place] = (broken[place] as number) ^ bits;
  }
  return broken;
}

interface Outcome {
  readonly volume?: Volume;
  readonly voxels?: Voxels;
}

/** Opens and reads all of a damaged source; an error has to be one line of a `SourceError` that names the file. */
async function outcome(t: ExecutionContext, path: string, open: () => Promise<Volume>): Promise<Outcome> {
  const began = performance.now();
  try {
    const volume = await open();
    const { z, y, x } = volume.size;
    return { volume, voxels: await readRegion(volume, whole({ z: z as number, y, x })) };
  } catch (error) {
    t.true(error instanceof SourceError, `${(error as Error).stack}`);
    t.true((error as Error).message.startsWith(`${path}: `), (error as Error).message);
    t.false((error as Error).message.includes('\n'), (error as Error).message);
    return {};
  } finally {
    t.true(performance.now() - began < 10_000, 'it took longer than ten seconds');
  }
}

/** Counts what came of damages: each kind has to have been refused, and some to have been read. */
class Tally {
  private readonly counts = { cutRefused: 0, flippedRefused: 0, flippedRead: 0 };
  add({ keep }: Damage, { voxels }: Outcome): void {
    if (keep !== undefined) this.counts.cutRefused += voxels ? 0 : 1;
    else if (voxels) this.counts.flippedRead++;
    else this.counts.flippedRefused++;
  }
  check(t: ExecutionContext): void {
    for (const [what, times] of Object.entries(this.counts)) t.true(times > 0, `no drawn case was ${what}`);
  }
}

const descrs = { bool: '|b1', uint8: '|u1', uint16: '<u2', int16: '>i2', uint32: '<u4', float32: '>f4' } as const;

function npyBytes(type: StoredType, values: ArrayLike<number>): Buffer {
  const header = `{'descr': '${descrs[type]}', 'fortran_order': False, 'shape': (2, 9, 11), }\n`;
  const lead = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0]);
  return Buffer.concat([lead, Buffer.from(header), storedBytes(type, values, descrs[type].startsWith('>'))]);
}

test('a .npy file that was cut or changed reads as what its header says and its bytes hold, or is refused', async (t) => {
  const path = join(await tempFolder(t), 'volume.npy');
  const tally = new Tally();
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...storedTypes), damage, async (type, done) => {
      const data = someStored(type, 2 * pixels);
      const file = npyBytes(type, data);
      const broken = damaged(file, done);
      await writeFile(path, broken);
      const came = await outcome(t, path, () => npy(path));
      tally.add(done, came);
      if (!came.voxels) return;
      t.true(came.voxels.byteLength <= 2 * broken.length);
      if (done.keep !== undefined) t.true(same(came.voxels, data), 'a part of the file gave all voxels');
      // With the header as it was, only voxels whose own bytes were changed differ.
      const headerBytes = file.length - storedBytes(type, data).length;
      if (!broken.subarray(0, headerBytes).equals(file.subarray(0, headerBytes))) return;
      const differing = Array.from(came.voxels).filter((value, at) => !Object.is(value, data[at])).length;
      t.true(differing <= (done.flips?.length ?? 0));
    }),
    runs(600),
  );
  tally.check(t);
});

const layout = fc.record(
  {
    type: fc.constantFrom(...numberTypes),
    bigEndian: fc.boolean(),
    rowsPerStrip: fc.constantFrom(1, 4, 9),
    tile: fc.constantFrom(16),
  },
  { requiredKeys: ['type', 'bigEndian'] },
);

test('a plane of a series that was cut or changed reads with the size and type of the others, or is refused by its name', async (t) => {
  const folder = join(await tempFolder(t), 'planes');
  await mkdir(folder);
  const tally = new Tally();
  const reached = { first: 0, second: 0 };
  await fc.assert(
    fc.asyncProperty(layout, damage, fc.constantFrom(0, 1), async (options, done, which) => {
      const data = someStored(options.type, 2 * pixels);
      const files = [0, 1].map((z) => tiffBytes(data.subarray(z * pixels, (z + 1) * pixels), size.y, size.x, options));
      const paths = files.map((_, z) => join(folder, `p${z}.tif`));
      for (const [z, path] of paths.entries())
        await writeFile(path, z === which ? damaged(files[z] as Buffer, done) : (files[z] as Buffer));
      reached[which === 0 ? 'first' : 'second']++;
      // A first plane of another size or type makes the sound second one unlike it.
      const unlike: SourceError[] = [];
      const came = await outcome(t, paths[which] as string, () =>
        tiffSeries(folder).then((volume) => (which === 0 ? withoutUnlike(volume, paths[1] as string, unlike) : volume)),
      );
      if (unlike.length > 0) return;
      tally.add(done, came);
      if (!came.voxels) return;
      if (which === 1) t.deepEqual(came.volume?.size, size);
      if (done.keep !== undefined) t.true(same(came.voxels, data), 'a part of the file gave all voxels');
      const sound = which === 0 ? 1 : 0;
      const other = (voxels: Voxels) => voxels.subarray(sound * pixels, (sound + 1) * pixels);
      if (which === 1) t.true(same(other(came.voxels), other(data)), 'the sound plane was read wrongly');
    }),
    runs(600),
  );
  tally.check(t);
  for (const [what, times] of Object.entries(reached)) t.true(times > 0, `no drawn case was ${what}`);
});

/** The volume, errors that name a path being noted instead of raised. */
function withoutUnlike(volume: Volume, path: string, unlike: SourceError[]): Volume {
  return {
    ...volume,
    read: async (region, into, signal) => {
      await volume.read(region, into, signal).catch((error: unknown) => {
        if (!(error instanceof SourceError) || error.source !== path) throw error;
        unlike.push(error);
      });
    },
  };
}

test('a mask of several pages that was cut or changed reads as one of 0 and 1, or is refused', async (t) => {
  const path = join(await tempFolder(t), 'mask.tif');
  const tally = new Tally();
  const compressed = fc.tuple(layout, fc.boolean());
  await fc.assert(
    fc.asyncProperty(compressed, damage, async ([options, deflate], done) => {
      const data = Uint8Array.from({ length: 2 * pixels }, (_, i) => (i % 5 === 0 ? 1 : 0));
      const planes = [data.subarray(0, pixels), data.subarray(pixels)];
      const file = tiffPagesBytes(planes, size.y, size.x, { ...options, deflate });
      await writeFile(path, damaged(file, done));
      const came = await outcome(t, path, () => tissueMask(path));
      tally.add(done, came);
      if (!came.voxels) return;
      t.true(came.voxels.every((value) => value === 0 || value === 1));
      if (done.keep !== undefined) t.true(same(came.voxels, data), 'a part of the file gave all voxels');
    }),
    runs(600),
  );
  tally.check(t);
});

test('files without a byte, and folders in the place of a file, are refused by name', async (t) => {
  const folder = await tempFolder(t);
  const planes = join(folder, 'planes');
  await mkdir(join(planes, 'b.tif'), { recursive: true });
  await writeFile(join(folder, 'empty.npy'), '');
  await writeFile(join(folder, 'empty.tif'), '');
  await writeFile(join(planes, 'a.tif'), '');
  const refused = async (path: string, opened: Promise<Volume>) => {
    const error = await t.throwsAsync(opened, { instanceOf: SourceError });
    t.true(error?.message.startsWith(`${path}: `), error?.message);
  };
  await refused(join(folder, 'empty.npy'), npy(join(folder, 'empty.npy')));
  await refused(join(folder, 'empty.tif'), tissueMask(join(folder, 'empty.tif')));
  await refused(join(planes, 'a.tif'), tiffSeries(planes));
  await writeFile(join(planes, 'a.tif'), tiffBytes(new Uint16Array(pixels), size.y, size.x));
  const series = await tiffSeries(planes);
  await refused(
    join(planes, 'b.tif'),
    readRegion(series, whole(size)).then(() => series),
  );
});
