/** What equalize asks of a volume beside its voxels: a known depth, and a mask of its extent. */
import test from 'ava';
import { lastValueFrom, toArray } from 'rxjs';
import type { Zyx } from '../core/geometry.js';
import {
  blocks,
  cells,
  equalize,
  liveVolume,
  maxima,
  npyVolume,
  OptionError,
  run,
  save,
  type Volume,
} from '../index.js';
import { readNpy } from './support/npy.js';
import { ample, clean, drawn, volumeOf } from './support/stream.js';
import { tempFolder } from './support/temp.js';
import { type Drawn, inMemory } from './support/volumes.js';

const options = { window: { z: 3, y: 7, x: 6 }, spacing: { z: 2, y: 4, x: 5 } };
const { size } = drawn;
const outside = (at: number) => at % size.x > size.x / 2;
/** The left half of each plane; in the other one it is 0. */
const left: Drawn = { size, data: Uint8Array.from(drawn.data, (_, at) => (outside(at) ? 0 : 3)) };

async function equalized(path: string, volume: Volume, mask: Volume | undefined, core: Zyx): Promise<Float32Array> {
  const steps = equalize({ ...options, ...(mask && { mask }) });
  await lastValueFrom(
    blocks(volume, { size: core }).pipe(steps, save('equalized', npyVolume(path)), run({ threads: 2 })),
  );
  return (await readNpy(path)).data as Float32Array;
}

test('voxels outside the mask of equalize count in no window, in every layout', async (t) => {
  const path = `${await tempFolder(t)}/equalized.npy`;
  const mask = inMemory(left, 'left');
  const whole = await equalized(path, volumeOf(), mask, size);
  for (const core of [
    { z: 3, y: 5, x: 7 },
    { z: 1, y: 20, x: 22 },
    { z: 14, y: 6, x: 4 },
  ]) {
    t.deepEqual(await equalized(path, volumeOf(), mask, core), whole, JSON.stringify(core));
  }
  t.notDeepEqual(await equalized(path, volumeOf(), undefined, size), whole);
  // What is outside may be anything: the gains stay, and so does every voxel inside.
  const other = inMemory({ size, data: drawn.data.map((value, at) => (outside(at) ? 65535 - value : value)) });
  const changed = await equalized(path, other, mask, size);
  t.true(changed.every((value, at) => outside(at) || value === whole[at]));
  t.false(changed.every((value, at) => value === whole[at]));
});

test('a mask of another extent, and a volume of unknown depth, are refused before anything is read', async (t) => {
  const budget = ample();
  const small = inMemory({ size: { z: 1, y: 2, x: 2 }, data: new Uint8Array(4) }, 'small');
  const wrong = blocks(volumeOf()).pipe(equalize({ ...options, mask: small }), maxima(), cells({ memory: budget }));
  const error = await t.throwsAsync(lastValueFrom(wrong), { instanceOf: OptionError });
  t.regex(error.message, /^equalize: mask small must be of the extent of/);
  const live = liveVolume({ size: { y: 4, x: 4 }, buffer: 40 });
  for (let z = 0; z < 20; z++) await live.write(new Uint16Array(16));
  live.end();
  const deep = blocks(live.volume).pipe(equalize(options), maxima(), cells({ memory: budget }), toArray());
  const unknown = await t.throwsAsync(lastValueFrom(deep), { instanceOf: OptionError });
  t.regex(unknown.message, /^equalize: the depth of live \d+ must be known/);
  await clean(t, budget);
});
