/** Planes that users' functions make, put into rings as a native chain wants them. */
import assert from 'node:assert/strict';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import type { StepPlan } from '../core/block.js';
import { StepError } from '../core/errors.js';
import { AXES, type Zyx } from '../core/geometry.js';
import { Lanes } from '../core/lanes.js';
import type { PlaneFunction, UserStep } from '../core/userStep.js';
import { bytesPerVoxel, type Dtype, type Voxels, voxelsOver } from '../core/volume.js';
import { type Making, makePlanes } from '../core/wantedPlanes.js';
import type { ChainConfig, NativeImage } from '../native/index.js';
import { weighed } from './support/naiveStep.js';
import { random, runs } from './support/random.js';
import { cut } from './support/reading.js';
import { tally } from './support/tally.js';
import * as functions from './support/userFunctions.js';
import { within } from './support/waiting.js';

const MODULE = new URL('./support/userFunctions.js', import.meta.url).href;
const dtypes = ['uint8', 'uint16', 'float32'] as const;

interface Setting {
  readonly size: Zyx;
  readonly halo: Zyx;
  /** The part of each plane that is wanted. */
  readonly result: { readonly y: readonly [number, number]; readonly x: readonly [number, number] };
  /** The type of each image, and how much more of it there is than the halo asks for. */
  readonly feeds: readonly { readonly dtype: Dtype; readonly more: number }[];
  readonly dtype: Dtype;
  readonly from: number;
  readonly to: number;
  /** Places of the rings beyond those that are needed. */
  readonly spare: number;
  readonly seed: number;
}

const NAMES = ['dim', 'nuclei'];

/** A making over rings that hold what a chain's would: all planes that the wanted ones need, and junk elsewhere. */
function ringsOf(setting: Setting, code: UserStep['code'], signal = new AbortController().signal) {
  const { size, halo, result, from, to, spare } = setting;
  const next = random(setting.seed);
  const images = setting.feeds.map(({ dtype }) => {
    const data = voxelsOver(
      dtype,
      new ArrayBuffer(size.z * size.y * size.x * bytesPerVoxel[dtype]),
      0,
      size.z * size.y * size.x,
    );
    return data.map(() => Math.floor(next() * 250)) as Voxels;
  });
  const box = (more: number) => ({
    y: [Math.max(0, result.y[0] - halo.y - more), Math.min(size.y, result.y[1] + halo.y + more)] as const,
    x: [Math.max(0, result.x[0] - halo.x - more), Math.min(size.x, result.x[1] + halo.x + more)] as const,
  });
  const places = to - from + 2 * halo.z + spare;
  const native = (dtype: Dtype, { y, x }: Pick<NativeImage, 'y' | 'x'>): NativeImage => ({
    ...{ dtype, z: [0, size.z], y, x, from: -1, name: '' },
  });
  const feedImages = setting.feeds.map(({ dtype, more }) => native(dtype, box(more)));
  const config = { images: [...feedImages, native(setting.dtype, result)] } as unknown as ChainConfig;
  const slab = (image: NativeImage) => {
    const pixels = (image.y[1] - image.y[0]) * (image.x[1] - image.x[0]);
    const memory = new SharedArrayBuffer(places * pixels * bytesPerVoxel[image.dtype]);
    return { memory, pixels, voxels: voxelsOver(image.dtype, memory, 0, places * pixels).fill(99) };
  };
  const feeds = feedImages.map((image, n) => {
    const { memory, pixels, voxels } = slab(image);
    for (let z = Math.max(0, from - halo.z); z < Math.min(size.z, to + halo.z); z++) {
      const region = { start: { z, y: image.y[0], x: image.x[0] }, stop: { z: z + 1, y: image.y[1], x: image.x[1] } };
      voxels.set(cut(images[n] as Voxels, size, region), (z % places) * pixels);
    }
    return memory;
  });
  const made = slab(config.images.at(-1) as NativeImage);
  const options = { halo, dtype: setting.dtype };
  const plan: StepPlan = {
    ...{ name: 'step smooth', options: {}, adds: [], needs: [], halo: { before: halo, after: halo } },
    external: { code, with: NAMES.slice(0, setting.feeds.length - 1), options },
  };
  const making: Making = {
    ...{ plan, config, signal, lanes: new Lanes(2), volume: size },
    rings: {
      result: { image: feeds.length, planes: places, slab: made.memory },
      feeds: feeds.map((slab, image) => ({ image, planes: places, slab })),
    },
  };
  const wanted = { image: setting.feeds.length, from, to, end: size.z };
  /** Planes that do not hold what the whole volume would have there; those that nobody wanted have to be untouched. */
  const wrong = () => {
    const whole = weighed(images, size, options);
    const expected = voxelsOver(setting.dtype, new ArrayBuffer(made.memory.byteLength), 0, places * made.pixels).fill(
      99,
    );
    for (let z = from; z < to; z++) {
      const region = {
        start: { z, y: result.y[0], x: result.x[0] },
        stop: { z: z + 1, y: result.y[1], x: result.x[1] },
      };
      expected.set(cut(whole, size, region), (z % places) * made.pixels);
    }
    return expected.findIndex((value, at) => value !== made.voxels[at]);
  };
  return { run: () => makePlanes(making, wanted), wrong, voxels: made.voxels };
}

const settings: fc.Arbitrary<Setting> = fc
  .record({
    size: fc.record({
      z: fc.integer({ min: 1, max: 9 }),
      y: fc.integer({ min: 1, max: 9 }),
      x: fc.integer({ min: 1, max: 9 }),
    }),
    halo: fc.record({ z: fc.nat(2), y: fc.nat(2), x: fc.nat(3) }),
    places: fc.tuple(fc.nat(99), fc.nat(99), fc.nat(99), fc.nat(99), fc.nat(99), fc.nat(99)),
    feeds: fc.array(fc.record({ dtype: fc.constantFrom(...dtypes), more: fc.nat(2) }), { minLength: 1, maxLength: 3 }),
    dtype: fc.constantFrom(...dtypes),
    spare: fc.nat(3),
    seed: fc.nat(1e6),
  })
  .map(({ places: [z0, z1, y0, y1, x0, x1], ...drawn }) => {
    const part = (a: number, b: number, length: number) => {
      const [low, high] = [a % length, b % length];
      return [Math.min(low, high), Math.max(low, high) + 1] as const;
    };
    const [from, to] = part(z0, z1, drawn.size.z);
    return { ...drawn, from, to, result: { y: part(y0, y1, drawn.size.y), x: part(x0, x1, drawn.size.x) } };
  });

const ways: Readonly<Record<string, UserStep['code']>> = {
  'at once': functions.weigh,
  later: functions.weighLater,
  'in threads': { module: MODULE, export: 'default' },
  'in threads, later': { module: MODULE, export: 'weighLater' },
};

for (const [how, code] of Object.entries(ways))
  test.serial(
    `a function that runs ${how} makes the planes of the whole volume, whatever part and rings`,
    async (t) => {
      const reached = tally();
      await t.notThrowsAsync(
        fc.assert(
          fc.asyncProperty(settings, async (setting) => {
            const { run, wrong } = ringsOf(setting, code);
            await run();
            assert.equal(wrong(), -1);
            const { size, halo, result, feeds, from, to } = setting;
            const edges = { z: [from, to], y: result.y, x: result.x } as const;
            for (const a of AXES) {
              reached.seen(`${a}: beyond the low edge`, halo[a] > edges[a][0]);
              reached.seen(`${a}: beyond the high edge`, halo[a] + edges[a][1] > size[a]);
              reached.seen(`${a}: inside`, halo[a] > 0 && halo[a] < edges[a][0] && halo[a] + edges[a][1] < size[a]);
              reached.seen(`${a}: no halo`, halo[a] === 0);
            }
            const mores = new Set(feeds.map(({ more }) => more));
            reached.seen('images on rectangles of their own', mores.size > 1);
            reached.seen('more than the halo asks for', mores.size === 1 && !mores.has(0));
            reached.seen('several planes', to - from > 1);
            for (const { dtype } of feeds) reached.seen(`${setting.dtype} of ${dtype}`);
          }),
          runs(200),
        ),
      );
      const kinds = ['beyond the low edge', 'beyond the high edge', 'inside', 'no halo'];
      t.deepEqual(
        reached.missing([
          ...AXES.flatMap((a) => kinds.map((kind) => `${a}: ${kind}`)),
          ...['images on rectangles of their own', 'more than the halo asks for', 'several planes'],
          ...dtypes.flatMap((made) => dtypes.map((of) => `${made} of ${of}`)),
        ]),
        [],
      );
    },
  );

/** Five planes of 6 x 5 voxels, of which the middle is wanted. */
const plain: Setting = {
  size: { z: 5, y: 6, x: 5 },
  halo: { z: 1, y: 1, x: 1 },
  result: { y: [1, 5], x: [1, 4] },
  feeds: [{ dtype: 'uint16', more: 0 }],
  ...{ dtype: 'uint16', from: 1, to: 4, spare: 0, seed: 3 },
};

const failures: Readonly<Record<string, string>> = {
  boom: 'plane 1: RangeError: boom',
  boomAtThree: 'plane 3: RangeError: boom',
  tooFew: 'plane 1: expected a Uint16Array of 30 voxels, got Uint16Array of 10',
  notANumber: 'plane 1: expected a Uint16Array of 30 voxels, got Float32Array of 30',
  nothing: 'plane 1: expected a Uint16Array of 30 voxels, got undefined',
};

for (const [name, message] of Object.entries(failures))
  test.serial(`a function that fails is named with its plane, wherever it runs: ${name}`, async (t) => {
    const run = (functions as unknown as Record<string, PlaneFunction>)[name] as PlaneFunction;
    const inline = await t.throwsAsync(ringsOf(plain, run).run(), { instanceOf: StepError });
    t.is(inline.message, `step smooth: ${message}`);
    // In threads any of the planes may be the first to fail.
    const threaded = await t.throwsAsync(ringsOf(plain, { module: MODULE, export: name }).run(), {
      instanceOf: StepError,
    });
    t.is(threaded.message.replace(/plane \d/, 'plane ?'), inline.message.replace(/plane \d/, 'plane ?'));
    for (const { cause } of [inline, threaded]) {
      t.is((cause as Error | undefined)?.message, message.includes('boom') ? 'boom' : undefined);
      t.is(cause instanceof RangeError, message.includes('boom'));
    }
  });

test.serial(
  'what a thread cannot do is said: load the module, find the export, send what was thrown, stay',
  async (t) => {
    const message = async (code: UserStep['code']) =>
      (await t.throwsAsync(ringsOf({ ...plain, to: 2 }, code).run(), { instanceOf: StepError })).message;
    t.regex(
      await message({ module: 'file:///absent.js', export: 'default' }),
      /^step smooth: cannot load file:.*absent.js/,
    );
    t.is(await message({ module: MODULE, export: 'x' }), `step smooth: cannot load ${MODULE}: no export 'x'`);
    t.is(
      await message({ module: MODULE, export: 'notAFunction' }),
      `step smooth: cannot load ${MODULE}: the export 'notAFunction' is no function`,
    );
    t.regex(await message({ module: 'data:text/javascript,}', export: 'default' }), /cannot load data:.*SyntaxError/);
    t.is(await message({ module: MODULE, export: 'throwFunction' }), 'step smooth: plane 1: [Function (anonymous)]');
    t.regex(await message({ module: MODULE, export: 'leave' }), /^step smooth: plane 1: its worker thread ended: .*3$/);
    // And the threads that come after work.
    const { run, wrong } = ringsOf(plain, { module: MODULE, export: 'default' });
    await run();
    t.is(wrong(), -1);
  },
);

async function settlesWhenAborted(t: ExecutionContext, code: UserStep['code']): Promise<void> {
  const abort = new AbortController();
  const { run, voxels } = ringsOf(plain, code, abort.signal);
  const running = run();
  running.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 300));
  const start = performance.now();
  const reason = new Error('enough');
  abort.abort(reason);
  t.is(await t.throwsAsync(within(5000, 'the abort', running)), reason);
  const took = performance.now() - start;
  t.log(`settled after ${took.toFixed(1)} ms`);
  t.true(took < 1000, `it took ${took} ms`);
  t.true(voxels.every((value) => value === 99));
}

test.serial('a function that never resolves is let go of when aborted', (t) => settlesWhenAborted(t, functions.never));

for (const name of ['never', 'forever'])
  test.serial(`a thread that never answers is ended when aborted: ${name}`, (t) =>
    settlesWhenAborted(t, { module: MODULE, export: name }),
  );

test.serial('what a function still gives after the abort is dropped', async (t) => {
  const abort = new AbortController();
  let give: (plane: Voxels) => void = () => {};
  const late: PlaneFunction = () =>
    new Promise((resolve) => {
      give = resolve;
    });
  const { run, voxels } = ringsOf(plain, late, abort.signal);
  const running = run();
  abort.abort(new Error('enough'));
  await t.throwsAsync(running, { message: 'enough' });
  give(new Uint16Array(30));
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.true(voxels.every((value) => value === 99));
});
