/** Compositions of many steps keep what each needs and adds. */
import { filter, map, type Observable, take, tap } from 'rxjs';
import {
  type Block,
  blocks,
  type CellBatch,
  cells,
  intensity,
  maxima,
  plan,
  type RunPlan,
  removeBackground,
  type Step,
  shape,
  steps,
  type Volume,
} from 'somaflow';
import { holds, type Same, source } from './support.js';

declare module 'somaflow' {
  interface Results {
    readonly a: 'voxels';
    readonly b: 'voxels';
    readonly c: 'voxels';
    readonly d: 'voxels';
    readonly e: 'voxels';
    readonly f: 'voxels';
    readonly g: 'voxels';
    readonly h: 'voxels';
    readonly i: 'voxels';
    readonly j: 'voxels';
    readonly k: 'voxels';
    readonly l: 'voxels';
  }
}

declare const a: Step<'source', 'a'>;
declare const b: Step<'a', 'b'>;
declare const c: Step<'b', 'c'>;
declare const d: Step<'a' | 'c', 'd'>;
declare const e: Step<'d', 'e'>;
declare const f: Step<'e', 'f'>;
declare const g: Step<'f', 'g'>;
declare const h: Step<'g', 'h'>;
declare const i: Step<'h', 'i'>;
declare const j: Step<'i', 'j'>;
declare const k: Step<'j', 'k'>;
declare const l: Step<'k', 'l'>;

const sixteen = steps(
  a,
  b,
  c,
  d,
  e,
  f,
  g,
  h,
  i,
  j,
  k,
  l,
  removeBackground({ size: 10 }),
  maxima({ size: 5 }),
  shape({ threshold: 700 }),
  intensity({ method: 'max', measure: ['source', 'background', 'l'] }),
);
type Twelve = 'a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g' | 'h' | 'i' | 'j' | 'k' | 'l';
type All = 'source' | Twelve | 'background' | 'maxima' | 'shape' | 'intensity';

const through = source.pipe(sixteen);
holds<Same<typeof through, Observable<Block<All>>>>();

const found = through.pipe(cells({ memory: '1 GiB' }));
holds<Same<typeof found, Observable<CellBatch>>>();

const planned = through.pipe(plan({ memory: '1 GiB', threads: 2 }));
holds<Same<typeof planned, Observable<RunPlan>>>();

// The composition as a whole needs what its parts do not make themselves.
const late = steps(shape({ threshold: 700 }), intensity({ method: 'max', measure: ['source'] }));
const early = source.pipe(maxima(), late);
holds<Same<typeof early, Observable<Block<'source' | 'maxima' | 'shape' | 'intensity'>>>>();

// error: MissingStep<"maxima">
source.pipe(late);

// error: MissingStep<"a">
source.pipe(steps(b, c, d), cells());

// Nine operators in one pipe, steps and others mixed.
const nine = source.pipe(
  filter((block) => block.index > 2),
  removeBackground({ size: 10 }),
  tap((block) => block.voxels('background')),
  take(10),
  maxima({ size: 5 }),
  filter((block) => block.core.start.z > 0),
  shape({ threshold: 700 }),
  intensity({ method: 'max', measure: ['source', 'background'] }),
  cells({ memory: '1 GiB', order: 'any' }),
);
holds<Same<typeof nine, Observable<CellBatch>>>();

declare const volume: Volume;
const start = blocks(volume, { size: { z: 16, y: 512, x: 512 } });
holds<Same<typeof start, Observable<Block<'source'>>>>();

const planes = start.pipe(map((block) => block.voxels('source')));
holds<Same<typeof planes, Observable<ReturnType<Block<'source'>['voxels']>>>>();

// error: "background"
start.pipe(tap((block) => block.voxels('background')));

// error: "maxima"
start.pipe(
  maxima(),
  tap((block) => block.voxels('maxima')),
);
