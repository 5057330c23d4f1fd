/** The volumes that are measured, each made once and kept in the temporary folder. */
import { rename, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inProject, output, PYTHON } from './programs.js';

/** Voxels of a plane. */
const EXTENT = { y: 2048, x: 2048 } as const;
/** Voxels per cell: of tissue full of labelled cells, of tissue with few, and of cells that touch each other. */
export const DENSITIES = { dense: 8000, sparse: 200_000, crowded: 1300 } as const;

export function voxelsOf(planes: number): number {
  return planes * EXTENT.y * EXTENT.x;
}

/** A (z, y, x) array of uint16 in C order. */
export function synthetic(planes: number, density: keyof typeof DENSITIES = 'dense'): Promise<string> {
  const extent = [planes, EXTENT.y, EXTENT.x];
  const name = `somaflow-bench-${extent.join('x')}${density === 'dense' ? '' : `-${density}`}.npy`;
  const args = [...extent, DENSITIES[density]].map(String);
  return made(name, 2 * voxelsOf(planes), (out) => [inProject('bench/make_volume.py'), out, ...args]);
}

/** The same voxels in another format. */
export function converted(planes: number, format: 'fortran' | 'tiff'): Promise<string> {
  const name = `somaflow-bench-${planes}x${EXTENT.y}x${EXTENT.x}-${format}${format === 'tiff' ? '' : '.npy'}`;
  const source = synthetic(planes);
  return made(name, 2 * voxelsOf(planes), async (out) => [inProject('bench/convert_volume.py'), await source, out]);
}

/** Whether the temporary folder has room for a volume beside others. */
export async function hasRoom(bytes: number): Promise<boolean> {
  const { bavail, bsize } = await statfs(tmpdir());
  return bavail * bsize > bytes + 2 ** 30;
}

/** Reads a file, or all files of a folder, once, so that every program measured finds them in the page cache. */
export async function warm(path: string): Promise<void> {
  await output('/bin/sh', ['-c', 'find "$0" -type f -exec cat {} + > /dev/null', path]);
}

async function made(
  name: string,
  bytes: number,
  command: (out: string) => readonly string[] | Promise<readonly string[]>,
): Promise<string> {
  const path = join(tmpdir(), name);
  if (await stat(path).catch(() => undefined)) return path;
  if (!(await hasRoom(bytes))) throw new Error(`${path}: no room for ${bytes} bytes`);
  console.error(`  making ${path}`);
  const unfinished = join(tmpdir(), `unfinished-${process.pid}-${name}`);
  await output(PYTHON, await command(unfinished));
  await rename(unfinished, path);
  return path;
}
