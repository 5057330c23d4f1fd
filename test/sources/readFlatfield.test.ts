/** Planes of .npy files, in every type and order that NumPy writes. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { readFlatfield, SourceError } from '../../index.js';
import { inProject } from '../support/paths.js';
import { tempFolder } from '../support/temp.js';

type Put = (view: DataView, at: number, value: number, little: boolean) => void;

const types: Readonly<Record<string, { readonly bytes: number; readonly put: Put }>> = {
  u1: { bytes: 1, put: (view, at, value) => view.setUint8(at, value) },
  u2: { bytes: 2, put: (view, at, value, little) => view.setUint16(at, value, little) },
  f4: { bytes: 4, put: (view, at, value, little) => view.setFloat32(at, value, little) },
  f8: { bytes: 8, put: (view, at, value, little) => view.setFloat64(at, value, little) },
};

function file(descr: string, fortran: boolean, shape: string, values: readonly number[]): Buffer {
  const words = `{'descr': ${descr}, 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': ${shape}, }`;
  const header = Buffer.from(`${words.padEnd(117)}\n`, 'latin1');
  const { bytes, put } = types[descr.slice(2, 4)] ?? { bytes: 8, put: () => {} };
  const data = Buffer.alloc(bytes * values.length);
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  for (const [at, value] of values.entries()) put(view, at * bytes, value, descr[1] !== '>');
  return Buffer.concat([Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0]), header, data]);
}

test('every type, byte order and order of axes gives the same plane', async (t) => {
  const path = join(await tempFolder(t), 'plane.npy');
  const [rows, columns] = [2, 3];
  const plane = [1, 2, 3, 40, 50, 255];
  const byColumns = [1, 40, 2, 50, 3, 255];
  for (const descr of ['|u1', '<u2', '>u2', '<f4', '>f4', '<f8', '>f8']) {
    for (const fortran of [false, true]) {
      await writeFile(path, file(`'${descr}'`, fortran, `(${rows}, ${columns})`, fortran ? byColumns : plane));
      const { data, size } = await readFlatfield(path);
      t.deepEqual(size, { y: rows, x: columns }, descr);
      t.deepEqual(data, Float64Array.from(plane), `${descr}, fortran ${fortran}`);
    }
  }
});

test('a float64 keeps its last bit, and a value that is no number is left to whoever uses it', async (t) => {
  const path = join(await tempFolder(t), 'plane.npy');
  const values = [0.1, -(2 ** -1074), Number.NaN];
  await writeFile(path, file("'<f8'", false, '(1, 3)', values));
  t.deepEqual((await readFlatfield(path)).data, Float64Array.from(values));
});

test('the reference flat field of the shipped crop is read', async (t) => {
  const { data, size } = await readFlatfield(inProject('test/reference/mini_flatfield.npy'));
  t.deepEqual(size, { y: 256, x: 256 });
  t.is(
    data.reduce((a, b) => Math.max(a, b)),
    0.9992659687995911,
  );
});

test('what is no plane of numbers is refused, with what was found', async (t) => {
  const path = join(await tempFolder(t), 'plane.npy');
  const whole = file("'<f4'", false, '(2, 3)', [1, 2, 3, 4, 5, 6]);
  const cases: [Buffer, string][] = [
    [file("'<f4'", false, '(2, 3, 1)', [1]), 'array, expected 2 axes, got 3: (2, 3, 1)'],
    [file("'<f4'", false, '(6,)', [1]), 'array, expected 2 axes, got 1: (6)'],
    [file("'<f4'", false, '(0, 3)', []), 'array, expected 1 to 268435456 pixels, got (0, 3)'],
    [file("'<f4'", false, '(1048576, 1048576)', []), 'array, expected 1 to 268435456 pixels, got (1048576, 1048576)'],
    [file("'<i8'", false, '(2, 3)', []), "pixel type, expected uint8, uint16, float32 or float64, got '<i8'"],
    [file("'|u2'", false, '(2, 3)', []), "pixel type, expected uint8, uint16, float32 or float64, got '|u2'"],
    [
      file("[('x', '<f4')]", false, '(2, 3)', []),
      'pixel type, expected uint8, uint16, float32 or float64, got a structured',
    ],
    [whole.subarray(0, whole.length - 1), 'ends at byte 151, expected at least 152 bytes'],
    [Buffer.from('no plane'), 'not an NPY file'],
  ];
  for (const [bytes, message] of cases) {
    await writeFile(path, bytes);
    const error = await t.throwsAsync(readFlatfield(path), { instanceOf: SourceError });
    t.true(error?.message.startsWith(`${path}: ${message}`), error?.message);
  }
  await t.throwsAsync(readFlatfield(`${path}.none`), { instanceOf: SourceError });
});
