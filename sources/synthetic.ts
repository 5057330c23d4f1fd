import { CellTable } from '../core/cellTable.js';
import { OptionError } from '../core/errors.js';
import { AXES, type Zyx } from '../core/geometry.js';
import type { Dtype, Volume } from '../core/volume.js';
import { SyntheticVoxels } from '../native/synthetic.js';
import { checkVoxelSize } from './array.js';
import { checkRead } from './region.js';
import { mostCells, placeCells } from './syntheticCells.js';
import { DTYPES } from './voxelTypes.js';

export interface SyntheticOptions {
  /** Extent in voxels. */
  readonly size: Zyx;
  /** How many cells it holds. */
  readonly cells: number;
  /** Chooses the places and amplitudes of the cells, and the noise: an integer of 0 .. 2^32 - 1. */
  readonly seed: number;
  /** The type of the voxels. Default `'uint16'`. */
  readonly dtype?: Dtype;
  /** Edge lengths of a voxel in µm. */
  readonly voxelSizeUm?: Zyx;
}

/** A made-up volume, and the cells that are in it. */
export interface Synthetic {
  readonly volume: Volume;
  /** `x`, `y`, `z` of each center in voxels and `amplitude`, its peak above the background, in z, y, x order. */
  readonly cells: CellTable;
}

/** Standard deviations of a cell in voxels. */
const SIGMA = { z: 1.5, yx: 2.5 } as const;
/** Where a cell ends, in standard deviations: less than a unit of brightness is left there. */
const REACH = 4;
/** The largest brightness that uint8 holds is this many times its largest value. */
const UINT8_UNIT = 32;

/**
 * A reproducible volume that looks like a light-sheet microscope's, with its ground truth: for demonstrations, tests and
 * measurements.
 *
 * The background is about 300 with a slow gradient and noise of standard deviation 30; cells are Gaussians (sigma 1.5 along
 * z, 2.5 along y and x) of amplitudes 1500 to 5000, apart from each other and off the faces where the volume is large enough, so that
 * the default chain finds each. Voxels are computed when they are read, natively, from the seed and their place alone:
 * every region has the voxels of the whole, bit for bit, on any machine, and a volume of any size costs no memory. In uint8 all of it is a 32nd,
 * rounded; in float32 it is not rounded to integers.
 *
 * @throws {OptionError} if an extent or `cells` or `seed` is no such integer, or the cells do not fit into the volume
 * @example const { volume, cells } = synthetic({ size: { z: 64, y: 512, x: 512 }, cells: 500, seed: 1 })
 */
export function synthetic(options: SyntheticOptions): Synthetic {
  const { cells, seed, dtype = 'uint16', voxelSizeUm } = options;
  check(options);
  const { z, y, x } = options.size;
  const size: Zyx = { z, y, x };
  const rows = placeCells(size, cells, seed);
  const voxels = new SyntheticVoxels({
    seed,
    noise: 13 / 64, // a unit of noise has a standard deviation of 148
    scale: dtype === 'uint8' ? 1 / UINT8_UNIT : 1,
    rows: numbers(y, (at) => 300 + 60 * Math.sin(at / 400)),
    columns: numbers(x, (at) => 40 * Math.cos(at / 500)),
    profileZ: profile(SIGMA.z),
    profileYx: profile(SIGMA.yx),
    cells: rows,
  });
  const id = `synthetic ${dtype} ${z} x ${y} x ${x}, ${cells} cells, seed ${seed}`;
  const volume: Volume = {
    id,
    size,
    dtype,
    ...(voxelSizeUm ? { voxelSizeUm } : {}),
    async read(region, into, signal) {
      checkRead(id, size, dtype, region, into);
      const { start, stop } = region;
      await voxels.fill([start.z, stop.z, start.y, stop.y, start.x, stop.x], into, signal);
    },
  };
  return { volume, cells: CellTable.fromRows(['x', 'y', 'z', 'amplitude'], rows) };
}

function check({ size, cells, seed, dtype = 'uint16', voxelSizeUm }: SyntheticOptions): void {
  const integer = (option: string, value: number, least: number, most: number): void => {
    if (Number.isInteger(value) && value >= least && value <= most) return;
    throw new OptionError('synthetic', option, `an integer of ${least}..${most}`, value);
  };
  for (const axis of AXES) integer(`size.${axis}`, size[axis], 1, 2 ** 31 - 1);
  integer('seed', seed, 0, 2 ** 32 - 1);
  integer('cells', cells, 0, mostCells(size));
  if (!DTYPES.includes(dtype)) throw new OptionError('synthetic', 'dtype', `one of ${DTYPES.join(', ')}`, dtype);
  if (voxelSizeUm) checkVoxelSize('synthetic', voxelSizeUm);
}

/** A Gaussian from its center outward. */
function profile(sigma: number): Float64Array {
  return numbers(Math.ceil(REACH * sigma) + 1, (at) => Math.exp(-(at * at) / (2 * sigma * sigma)));
}

/** Rounded to float32, so that the last bits of sines and exponentials, which machines may differ in, do not count. */
function numbers(count: number, of: (at: number) => number): Float64Array {
  return Float64Array.from({ length: count }, (_, at) => Math.fround(of(at)));
}
