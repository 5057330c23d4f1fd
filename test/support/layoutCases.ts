/** Volumes, chains, layouts and engines drawn together, and what is wrong with the cells that a run finds of them. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { from, mergeMap, toArray } from 'rxjs';
import { AXES, addHalos, extent, noHalo } from '../../core/geometry.js';
import { FIXED_IMAGES, type ImageVoxels, type Volume, type Voxels, type Zyx } from '../../index.js';
import { reachedBy } from './chainTally.js';
import { channelsOf, detect, imagesMade, type SavedName, sorted, stepsOf } from './detect.js';
import { imageProblems } from './imageTruth.js';
import { ASKED_COLUMNS, type AskedColumn, labelsOf, withColumns } from './labelTruth.js';
import { blockCount, coreFor, coreSizes, coresWith } from './layouts.js';
import {
  drawMask,
  drawRegion,
  keptBy,
  type MaskRecipe,
  maskRecipes,
  type RegionRecipe,
  regionRecipes,
} from './limits.js';
import { type Component, cores, naive, rowsInLayout, seamsInLayout } from './naive.js';
import { imagesOf } from './naiveImages.js';
import { shuffled } from './random.js';
import { cut, whole as wholeOf } from './reading.js';
import {
  anyChainRecipes,
  type ChainRecipe,
  type ChannelRecipes,
  caseOf,
  chainRecipes,
  channelNames,
  delayOf,
  type EngineRecipe,
  engineRecipes,
  optionsFor,
} from './recipes.js';
import { RecordingVolume } from './recordingVolume.js';
import { SavedFiles } from './savedFiles.js';
import { dtypeOf } from './values.js';
import { inMemory, type VolumeRecipe, volumeRecipes } from './volumes.js';

/** Everything that makes a case: printed whole when it fails, to be kept as a plain test. */
export interface LayoutCase {
  readonly volume: VolumeRecipe;
  readonly channels?: ChannelRecipes;
  readonly chain: ChainRecipe;
  /** Images that are written too. */
  readonly saved?: readonly SavedName[];
  /** Columns that are asked for; of spheres only that of labels. */
  readonly columns?: readonly AskedColumn[];
  readonly core: Zyx;
  readonly overlap?: Zyx;
  readonly mask?: MaskRecipe | null;
  readonly region?: RegionRecipe | null;
  readonly engine: EngineRecipe;
  /** Seed of the order in which the blocks come, with `order: 'any'`; null keeps block order. */
  readonly arrival: number | null;
}

/** Limits leave little of these small volumes, so that most cases have none. */
export function sometimes<T>(recipes: fc.Arbitrary<T>): fc.Arbitrary<T | null> {
  return fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, { weight: 3, arbitrary: recipes });
}

const drawnParts = {
  volume: volumeRecipes(),
  channels: fc.dictionary(fc.constantFrom(...channelNames), volumeRecipes(), { maxKeys: 2 }),
  core: coreSizes(),
  overlap: fc.oneof(fc.constant({ z: 0, y: 0, x: 0 }), coreSizes(6)),
  mask: sometimes(maskRecipes()),
  region: sometimes(regionRecipes()),
  engine: engineRecipes(),
  arrival: fc.oneof({ weight: 2, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat(1000) }),
};

/** Background, maxima, shapes and intensities. */
const anyLayoutCases: fc.Arbitrary<LayoutCase> = fc.record({ ...drawnParts, chain: chainRecipes() });

/** Large components over several cores, of floats so different that their sums depend on the order of all voxels. */
const summedCases: fc.Arbitrary<LayoutCase> = fc.record({
  ...drawnParts,
  volume: volumeRecipes({ kinds: ['blobs', 'noise', 'shells', 'boxes'], least: 4 }).map((volume) => ({
    ...volume,
    values: volume.seed % 2 === 0 ? ('powers' as const) : ('huge' as const),
  })),
  core: coreSizes(8),
  chain: chainRecipes().map((chain) => ({
    ...chain,
    ...{ removeBackground: null, seedsAbove: 0, maskAbove: 0, method: 'sum' as const, measure: ['source'] },
  })),
});

export const layoutCases: fc.Arbitrary<LayoutCase> = fc.oneof(
  { weight: 12, arbitrary: anyLayoutCases },
  { weight: 1, arbitrary: summedCases },
);

/** Chains of any steps, in their order, and images of them that are saved. */
export const anyChainCases: fc.Arbitrary<LayoutCase> = fc.record({
  ...drawnParts,
  chain: anyChainRecipes(),
  columns: fc.oneof(fc.constant([]), fc.shuffledSubarray([...ASKED_COLUMNS])),
  saved: fc.oneof(
    fc.constant([]),
    fc.subarray([...FIXED_IMAGES, 'smooth', 'maxima', 'shape'] as SavedName[], { minLength: 1 }),
  ),
});

/** Runs a case and says what is wrong with it, or nothing; `seen` is told what the case reached. */
export async function problemsOf(
  drawnCase: LayoutCase,
  seen: (what: string, is?: boolean) => void = () => {},
): Promise<Record<string, unknown>> {
  const { engine, arrival, overlap = { z: 0, y: 0, x: 0 } } = drawnCase;
  const { drawn, chain } = caseOf(drawnCase.volume, drawnCase.chain, drawnCase.channels);
  const mask = drawnCase.mask ? drawMask(drawnCase.mask, drawn.size) : null;
  const region = drawnCase.region ? drawRegion(drawnCase.region, drawn.size) : null;
  const tiled = region ? extent(region) : drawn.size;
  const core = coreFor(drawnCase.core, tiled, 210);
  const options = optionsFor(engine);
  const record = (volume: Volume) => new RecordingVolume(volume, { delay: delayOf(engine) });
  const limits = { ...(mask ? { mask: record(inMemory(mask, 'mask')) } : {}), ...(region ? { region } : {}) };
  const also = Object.fromEntries(Object.entries(channelsOf(drawn)).map(([name, volume]) => [name, record(volume)]));

  // Of a source that keeps planes each push takes one, and rings wrap around; of another a push takes all of these small volumes.
  const planeByPlane = arrival === null && engine.delays.length % 2 === 1;
  const source = { ...inMemory(drawn), ...(planeByPlane && { keepsPlanes: 4096 }) };
  const { saved: toSave = [], columns: toAsk = [] } = drawnCase;
  const saved = toSave.filter((name) => (name !== 'smooth' || chain.smooth) && (name !== 'shape' || chain.shape));
  const columns = toAsk.filter((name) => chain.shape || name === 'label');
  const files = await SavedFiles.open(saved);
  const split = await detect(record(source), chain, {
    core,
    layout: { ...limits, also, overlap },
    options: { ...options, columns, ...(arrival === null ? {} : { order: 'any' }) },
    saves: files.of('split'),
    ...(arrival === null
      ? {}
      : {
          arrange: (blocks) =>
            blocks.pipe(
              toArray(),
              mergeMap((all) => from(shuffled(all, arrival))),
            ),
        }),
  });
  const whole = await detect(drawn, chain, {
    core: tiled,
    layout: limits,
    options: { threads: 1, target: 'portable', columns },
    saves: files.of('whole'),
  });
  const made = await imagesMade(drawn, chain);
  const walked = imagesOf(drawn, chain, made);
  const kept = keptBy(mask, region, drawn.size);
  const truth = withColumns(naive(drawn, chain, kept, made), columns, {
    size: drawn.size,
    image: walked.searched,
    source: walked.images.source,
  });
  const everything = region ?? wholeOf(drawn.size);
  const right = (name: SavedName): ImageVoxels => {
    if (name === 'shape') return labelsOf(truth, drawn.size, everything);
    const image = name === 'maxima' ? marked(truth.maxima, drawn.data.length) : walked.images[name];
    return cut(image as Voxels, drawn.size, everything);
  };
  const wrong: Record<string, unknown> = {
    ...imageProblems(drawn, chain, made),
    ...(await files.problems(right)),
  };
  const expected = rowsInLayout(truth, core, tiled, region?.start);
  const seams = seamsInLayout(truth, core, tiled, region?.start);

  for (const touched of Object.keys(split.progress.seamsByCores)) seen(`across ${touched} cores`);
  seen('spilled', split.progress.spilledBytes > 0);
  seen('many threads', engine.threads > 1);
  seen(
    'reads ending out of order',
    engine.delays.some((turns) => turns > 0),
  );
  seen('blocks in any order', arrival !== null);
  seen('plane by plane', planeByPlane && core.z > 1);
  seen('a skipped step measured', chain.measure.includes('dog'));
  seen('many cells', expected.length > 1);
  seen('no cells', expected.length === 0);
  seen('cells in many batches', split.batches.filter(({ cells }) => cells.count > 0).length > 1);
  const halo = stepsOf(chain).plans.reduce((sum, plan) => addHalos(sum, plan.halo), noHalo);
  const wider = AXES.some((axis) => overlap[axis] > halo.before[axis] + halo.after[axis]);
  seen('more overlap than steps need', wider && expected.length > 0);
  seen(drawnCase.volume.kind);
  if (expected.length > 0) {
    const dtype = dtypeOf(drawn.data);
    const measured = Object.entries(drawn.also).filter(([name]) => chain.measure.includes(name));
    const { removeBackground: opening, maxima } = chain;
    seen(`${dtype} on ${split.progress.target}`);
    seen(`${drawnCase.volume.values}`);
    if (opening) seen(`opening: ${opening.opening}, ${opening.form}, ${opening.size.x % 2 ? 'odd' : 'even'}`);
    seen(`plateaus: ${maxima.plateaus}`);
    seen(`method: ${chain.method} of ${dtype}`);
    for (const [, data] of measured) seen(`${dtypeOf(data)} measured in ${dtype}`);
    seen('two channels measured', measured.length === 2);
    seen('a mask that cuts components', mask !== null && region === null && truth.cuts > 0);
    seen('a coarser mask that cuts components', mask !== null && mask.size.x < drawn.size.x && truth.cuts > 0);
    seen('a region that cuts components', region !== null && mask === null && truth.cuts > 0);
    const left = coresWith(kept, core, tiled, region?.start);
    seen('a mask that leaves out whole blocks', left.size < blockCount(core, tiled));
  }
  if (chain.shape && (chain.method === 'sum' || chain.method === 'mean')) {
    const crossing = truth.cells.filter(({ component }) => {
      const { voxels } = truth.components[component] as Component;
      return cores(voxels, core, tiled, region?.start).size > 1;
    });
    const depends = crossing.some(({ values }) => values.some((of) => sum(of) !== sum([...of].reverse())));
    seen('a sum across cores that depends on its order', depends);
  }
  for (const name of columns) seen(`column: ${name}`, blockCount(core, tiled) > 1 && expected.length > 1);
  for (const name of saved) seen(`saved: ${name}`, blockCount(core, tiled) > 1);
  if (expected.length > 0) for (const what of reachedBy(chain, truth, walked, drawn.size)) seen(what);
  seen('an empty mask', drawnCase.mask?.kind === 'empty');

  const compare = (what: string, found: unknown, right: unknown) => {
    if (!isDeepStrictEqual(found, right)) wrong[what] = { found, right };
  };
  compare('columns', split.names, truth.names);
  compare('cells of one block', whole.rows, sorted(expected));
  compare('cells', sorted(split.rows), sorted(expected));
  compare('order of rows', arrival === null ? split.rows : [], arrival === null ? expected : []);
  compare('seams by cores', split.progress.seamsByCores, seams);
  compare('threads', split.progress.threads, engine.threads);
  compare('target', split.progress.target, engine.target);
  compare('bytes that a budget keeps', options.memory?.liveBytes ?? 0, 0);
  return wrong;
}

/** An image that is 1 at these places. */
function marked(places: readonly number[], voxels: number): Voxels {
  const image = new Uint8Array(voxels);
  for (const at of places) image[at] = 1;
  return image;
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b);
}
