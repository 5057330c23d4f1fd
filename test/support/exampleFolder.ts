/** A folder as a user may have it who tries the examples: the package installed, and small files of the names that they use. */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { synthetic } from '../../index.js';
import { writeNpy } from './npy.js';
import { inProject } from './paths.js';
import { readRegion, whole } from './reading.js';
import { tiffPagesBytes, writeTiff } from './tiff.js';

export const EXTENT = { z: 20, y: 48, x: 70 };

/** Fills the folder; `example.mjs` is the program. */
export async function fillExampleFolder(folder: string, javascript: string): Promise<string> {
  const packages = join(folder, 'node_modules');
  await mkdir(packages);
  await symlink(inProject('.'), join(packages, 'somaflow'));
  await symlink(inProject('node_modules/rxjs'), join(packages, 'rxjs'));

  const { z, y, x } = EXTENT;
  const data = (await readRegion(synthetic({ size: EXTENT, cells: 5, seed: 1 }).volume, whole(EXTENT))) as Uint16Array;
  const planes = Array.from({ length: z }, (_, at) => data.subarray(at * y * x, (at + 1) * y * x));
  await mkdir(join(folder, 'raw'));
  await Promise.all([
    writeNpy(join(folder, 'stitched.npy'), { data, size: EXTENT }),
    ...planes.map((plane, at) => writeTiff(join(folder, 'raw', `Z${String(at).padStart(4, '0')}.tif`), plane, y, x)),
    writeFile(
      join(folder, 'flatfield.npy'),
      fieldNpy((at) => 1 + 0.2 * Math.sin(at)),
    ),
    writeFile(
      join(folder, 'dark.npy'),
      fieldNpy(() => 0.1),
    ),
    // Half as fine as the volume.
    writeFile(
      join(folder, 'tissue.tif'),
      tiffPagesBytes(Array(z / 2).fill(new Uint16Array((y / 2) * (x / 2)).fill(1)), y / 2, x / 2),
    ),
    writeFile(join(folder, 'package.json'), '{ "type": "module" }'),
    writeFile(join(folder, 'smooth.js'), 'export default ({ planes, center }) => planes[center].slice();'),
    writeFile(join(folder, 'earlier.csv'), 'x,y,z,size,source\n12,20,4,140,1250\n40,30,9,60,900.5\n'),
  ]);
  const program = join(folder, 'example.mjs');
  await writeFile(program, javascript);
  return program;
}

/** A plane of float64, of the volume's extent, as NumPy saves it. */
function fieldNpy(valueAt: (at: number) => number): Buffer {
  const { y, x } = EXTENT;
  const header = `{'descr': '<f8', 'fortran_order': False, 'shape': (${y}, ${x}), }`.padEnd(117);
  const lead = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length + 1, 0]);
  const pixels = Float64Array.from({ length: y * x }, (_, at) => valueAt(at));
  return Buffer.concat([lead, Buffer.from(`${header}\n`, 'latin1'), Buffer.from(pixels.buffer)]);
}
