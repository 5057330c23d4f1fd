/**
 * Compares what NumPy loads from our NPY files with what was written into them, names, types and values, and what we read
 * from NumPy's tables with what NumPy says is in them.
 *
 *     node dist/test/interop/arrays.js
 *
 * Python 3 with numpy has to be there; `PYTHON` names another one than /usr/bin/python3.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CellTable, type Column } from '../../core/cellTable.js';
import type { Dtype, Voxels } from '../../core/volume.js';
import { npyTable, npyVolume, readCells } from '../../index.js';
import { names, table } from '../support/batches.js';
import { inProject } from '../support/paths.js';
import { whole } from '../support/reading.js';

/** What numpy_arrays.py tells of a file. */
interface Loaded {
  readonly path: string;
  readonly descr: string;
  readonly shape: readonly number[];
  /** Of a table: name, type and digits of each field. */
  readonly fields?: readonly (readonly [name: string, type: string, digits: string])[];
  /** Of a volume. */
  readonly digits?: string;
  readonly contiguous?: boolean;
}

const PYTHON = process.env.PYTHON ?? '/usr/bin/python3';
const SIZE = { z: 3, y: 4, x: 5 };
const descrs: Readonly<Record<Dtype, string>> = { uint8: '|u1', uint16: '<u2', float32: '<f4' };

const folder = await mkdtemp(join(tmpdir(), 'somaflow-interop-'));
try {
  const tables = await writeTables();
  const volumes = await writeVolumes();
  const { numpy, arrays } = await load(['--write', folder, ...tables.keys(), ...volumes.keys()]);
  let own = 0;
  for (const loaded of arrays) {
    const [written, volume] = [tables.get(loaded.path), volumes.get(loaded.path)];
    if (written) compareTable(loaded, written);
    else if (volume) compareVolume(loaded, volume);
    else {
      own++;
      await compareRead(loaded);
    }
  }
  assert.equal(own, 24, 'tables of its own that NumPy has written');
  console.log(
    `NumPy ${numpy} loads ${tables.size} tables and ${volumes.size} volumes as written; ${own} of its own read the same`,
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function load(args: readonly string[]): Promise<{ numpy: string; arrays: Loaded[] }> {
  const run = promisify(execFile);
  const { stdout } = await run(PYTHON, [inProject('test/interop/numpy_arrays.py'), ...args], { maxBuffer: 2 ** 28 });
  return JSON.parse(stdout);
}

/** Tables with and without rows, of several batches, with the numbers that are easily lost. */
async function writeTables(): Promise<Map<string, CellTable>> {
  const edges = [-(2 ** 31), -1, 0, 1, 2 ** 31 - 1];
  const floats = [-0, Number.NaN, Infinity, 5e-324, 0.1];
  const edge = CellTable.fromRows(
    names,
    Float64Array.from(edges.flatMap((x, at) => [x, x, x, x, floats[at] as number])),
  );
  const cases: Readonly<Record<string, readonly CellTable[]>> = {
    edges: [edge],
    batches: [table(0, 10_000), CellTable.empty(names), table(10_000, 20_000)],
    empty: [CellTable.empty(names)],
    nothing: [],
    positions: [CellTable.fromRows(['x', 'y', 'z'], Float64Array.of(3, 2, 1))],
    umlaut: [CellTable.fromRows(['x', 'größe', 'a b'], Float64Array.of(3, 0.5, -7))],
    many: [
      CellTable.fromRows(
        Array.from({ length: 300 }, (_, at) => `measured_${at}`),
        new Float64Array(600).map(Math.sqrt),
      ),
    ],
  };
  const written = new Map<string, CellTable>();
  for (const [name, tables] of Object.entries(cases)) {
    const path = join(folder, `table_${name}.npy`);
    const sink = npyTable(path);
    await sink.open();
    for (const one of tables) await sink.write(one);
    await sink.close();
    written.set(path, CellTable.concat(tables));
  }
  return written;
}

/** A volume of each type, written in two regions, one of them not of whole rows, the rest left out. */
async function writeVolumes(): Promise<Map<string, { dtype: Dtype; voxels: Voxels }>> {
  const written = new Map<string, { dtype: Dtype; voxels: Voxels }>();
  for (const [dtype, typed] of Object.entries({ uint8: Uint8Array, uint16: Uint16Array, float32: Float32Array })) {
    const path = join(folder, `volume_${dtype}.npy`);
    const voxels = new typed(60).map((_, at) => (at >= 40 ? 0 : at < 20 ? at * 3.7 : at % 5 < 2 ? at * 5.1 : 0));
    const sink = npyVolume(path);
    await sink.open({ size: SIZE, dtype: dtype as Dtype });
    await sink.write(whole({ ...SIZE, z: 1 }), voxels.slice(0, 20));
    const left = voxels.slice(20, 40).filter((_, at) => at % 5 < 2);
    await sink.write({ start: { z: 1, y: 0, x: 0 }, stop: { z: 2, y: 4, x: 2 } }, left);
    await sink.close(SIZE.z);
    written.set(path, { dtype: dtype as Dtype, voxels });
  }
  return written;
}

function compareTable({ path, shape, fields }: Loaded, written: CellTable): void {
  assert.deepEqual(shape, [written.count], path);
  const expected = written.names.map((name) => {
    const column = written.column(name) as Column;
    return [name, column instanceof Int32Array ? '<i8' : '<f8', digitsOf(column)];
  });
  assert.deepEqual(fields, expected, path);
}

function compareVolume(loaded: Loaded, { dtype, voxels }: { dtype: Dtype; voxels: Voxels }): void {
  const { path, descr, shape, digits, contiguous } = loaded;
  assert.deepEqual([descr, shape, contiguous], [descrs[dtype], [SIZE.z, SIZE.y, SIZE.x], true], path);
  assert.equal(digits, digitsOf(dtype === 'float32' ? Float64Array.from(voxels) : Int32Array.from(voxels)), path);
}

async function compareRead({ path, shape, fields }: Loaded): Promise<void> {
  const cells = await readCells(path);
  assert.deepEqual(shape, [cells.count], path);
  const read = cells.names.map((name) => [name, digitsOf(cells.column(name) as Column)]);
  assert.deepEqual(
    read,
    fields?.map(([name, , digits]) => [name, digits]),
    path,
  );
}

/** As numpy_arrays.py writes numbers: the big-endian bytes of int64 or float64. */
function digitsOf(column: Column): string {
  const bytes = Buffer.alloc(8 * column.length);
  column.forEach((value, at) => {
    if (column instanceof Int32Array) bytes.writeBigInt64BE(BigInt(value), 8 * at);
    else bytes.writeDoubleBE(value, 8 * at);
  });
  return bytes.toString('hex');
}
