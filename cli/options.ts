import { Option } from 'commander';
import { parseBytes } from '../core/bytes.js';
import { OptionError } from '../core/errors.js';
import { AXES, describeRegion, type Region, type Zyx, zyx } from '../core/geometry.js';
import type { Volume } from '../core/volume.js';

/** Part of a volume as it is asked for: what is null reaches to the volume's edge, whose place is not known yet. */
export type AskedRegion = Readonly<Record<'z' | 'y' | 'x', { readonly start: number; readonly stop: number | null }>>;

/** `--threads N`. */
export function threadsOption(where: string): Option {
  return new Option('--threads <n>', "native threads that work at a time (default: the machine's cores)").argParser(
    (text) => {
      const threads = /^\d+$/.test(text) ? Number(text) : 0;
      if (threads < 1 || threads > 256) throw new OptionError(where, '--threads', 'an integer in 1..256', text);
      return threads;
    },
  );
}

/** `--memory 512MiB`: bytes, or a number with a unit. */
export function memoryOption(where: string): Option {
  const what = "for images and results, such as 512MiB (default: a quarter of the machine's, at most 4GiB)";
  return new Option('--memory <bytes>', what).argParser((text) => parseBytes(where, '--memory', text));
}

/** `--block Z,Y,X`. */
export function blockOption(where: string): Option {
  const what = 'extent of the blocks that are worked on, in voxels (default: follows the source)';
  return new Option('--block <Z,Y,X>', what).argParser((text) => {
    const expected = "three positive integers 'Z,Y,X'";
    return threeOf(
      where,
      '--block',
      text,
      expected,
      (part) => /^\d+$/.test(part) && Number.isSafeInteger(Number(part)),
    );
  });
}

/** `--voxel-size Z,Y,X`. */
export function voxelSizeOption(where: string): Option {
  const what = 'edge lengths of a voxel in µm, for the run record';
  return new Option('--voxel-size <z,y,x>', what).argParser((text) => {
    const expected = "three positive lengths in µm 'z,y,x'";
    return threeOf(where, '--voxel-size', text, expected, (part) => Number.isFinite(Number(part)));
  });
}

/** `--mask FILE`. */
export function maskOption(): Option {
  return new Option('--mask <file>', 'a .npy or TIFF volume that is 0 where nothing is to be found; may be coarser');
}

/** `--params FILE`; the words say what is done without it. */
export function paramsOption(otherwise: string): Option {
  return new Option('--params <file>', `parameters of the chain, as JSON (default: ${otherwise})`);
}

/** `--region z0:z1,y0:y1,x0:x1`, where each part may be left out as in Python. */
export function regionOption(where: string): Option {
  const what = 'where to look for cells, in voxels of the whole volume; a part may be empty, as in 10:20,,';
  return new Option('--region <z0:z1,y0:y1,x0:x1>', what).argParser((text): AskedRegion => {
    const parts = text.split(',').map((part) => /^\s*(\d*)\s*:\s*(\d*)\s*$|^\s*$/.exec(part));
    const [z, y, x] = parts.map(
      (part) => part && { start: Number(part[1] || 0), stop: part[2] ? Number(part[2]) : null },
    );
    const empty = [z, y, x].some((part) => part && part.stop !== null && part.stop <= part.start);
    if (parts.length !== 3 || !z || !y || !x || empty) {
      throw new OptionError(where, '--region', "three ranges 'z0:z1,y0:y1,x0:x1', none of them empty", text);
    }
    return { z, y, x };
  });
}

/** The region that was asked of a volume. */
export function regionIn(where: string, { id, size }: Volume, asked: AskedRegion): Region {
  const stop = (a: 'z' | 'y' | 'x') => asked[a].stop ?? size[a] ?? Number.POSITIVE_INFINITY;
  const region = { start: zyx((a) => asked[a].start), stop: zyx(stop) };
  if (AXES.every((a) => region.start[a] < stop(a) && stop(a) <= (size[a] ?? Number.POSITIVE_INFINITY))) return region;
  const whole = `[0:${size.z ?? ''}, 0:${size.y}, 0:${size.x}]`;
  throw new OptionError(where, '--region', `within ${whole} of ${id} and not empty`, describeRegion(region));
}

function threeOf(where: string, option: string, text: string, expected: string, fits: (part: string) => boolean): Zyx {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.length !== AXES.length || !parts.every((part) => fits(part) && Number(part) > 0)) {
    throw new OptionError(where, option, expected, text);
  }
  const [z, y, x] = parts.map(Number) as [number, number, number];
  return { z, y, x };
}
