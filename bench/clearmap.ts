/**
 * How our cells compare with those that ClearMap's detect_cells found in the same volume: the figures of docs/clearmap.md.
 *
 *     npm run bench:clearmap -- VOLUME CLEARMAP_TABLE [--size 10] [--threshold 700]
 *
 * The table is what ClearMap wrote, .npy or .csv, with x, y, z, size, source and background. `--size` is the background_correction
 * shape, `--threshold` that of shape_detection that it was made with; all else has to be ClearMap's defaults.
 */
import { parseArgs } from 'node:util';
import { voxelsOver } from '../core/volume.js';
import {
  type CellTable,
  clearMapParameters,
  type DetectionParameters,
  detectCells,
  openSource,
  readCells,
} from '../index.js';
import { printTable } from './table.js';

/** A cell's values after its center, by the center. */
type Cells = ReadonlyMap<string, readonly number[]>;

const MEASURED = ['size', 'source', 'background'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { size: { type: 'string', default: '10' }, threshold: { type: 'string', default: '700' } },
});
const [source, table] = positionals;
if (source === undefined || table === undefined) throw new Error('expected a volume and a table of ClearMap');
const threshold = Number(values.threshold);

const volume = await openSource(source);
const theirs = byCenter(await readCells(table));
const closest = closestWith('clearmap', 'all');
const ours = byCenter(await detectCells(volume, null, closest));
const rows = [
  against('clearMapParameters()', theirs, ours),
  against("opening: 'symmetric'", theirs, byCenter(await detectCells(volume, null, closestWith('symmetric', 'all')))),
  against("plateaus: 'first'", theirs, byCenter(await detectCells(volume, null, closestWith('clearmap', 'first')))),
  against('defaults', theirs, byCenter(await detectCells(volume, null, closestWith('symmetric', 'first')))),
];
const head = ['cells', 'in common', 'missing', 'extra', ...MEASURED.map((name) => `same ${name}`), 'same row'];
printTable([[`against ClearMap's ${theirs.size}`, ...head], ...rows]);

const missing = [...theirs.keys()].filter((center) => !ours.has(center));
const dark = (await Promise.all(missing.map(sourceAt))).filter((value) => value <= threshold).length;
console.log(
  `missing with clearMapParameters(), where the source is not above ${threshold}: ${dark} of ${missing.length}`,
);
const extra = [...ours.keys()].filter((center) => !theirs.has(center));
console.log(
  `extra with clearMapParameters(), beside another center: ${extra.filter(touching).length} of ${extra.length}`,
);

/** ClearMap's parameters, with these ways. */
function closestWith(opening: 'clearmap' | 'symmetric', plateaus: 'all' | 'first'): DetectionParameters {
  const { removeBackground, maxima, ...others } = clearMapParameters();
  return {
    ...others,
    removeBackground: { ...removeBackground, size: Number(values.size), opening },
    maxima: { ...maxima, plateaus },
    shape: { threshold },
  };
}

function byCenter(cells: CellTable): Map<string, number[]> {
  const column = (name: string) => {
    const found = cells.column(name);
    if (!found) throw new Error(`the table has no column ${name}`);
    return found;
  };
  const [x, y, z] = [column('x'), column('y'), column('z')];
  const measured = MEASURED.map(column);
  return new Map(Array.from(x, (at, row) => [`${at},${y[row]},${z[row]}`, measured.map((one) => one[row] as number)]));
}

/** A row of the table: how the cells found compare with those expected. */
function against(name: string, expected: Cells, found: Cells): (string | number)[] {
  const common = [...expected].filter(([center]) => found.has(center));
  const same = (pick: (mine: readonly number[], its: readonly number[]) => boolean) =>
    common.filter(([center, its]) => pick(found.get(center) as readonly number[], its)).length;
  return [
    name,
    found.size,
    common.length,
    expected.size - common.length,
    found.size - common.length,
    ...MEASURED.map((_, at) => same((mine, its) => mine[at] === its[at])),
    same((mine, its) => mine.every((value, at) => value === its[at])),
  ];
}

async function sourceAt(center: string): Promise<number> {
  const [x = 0, y = 0, z = 0] = center.split(',').map(Number);
  const into = voxelsOver(volume.dtype, new ArrayBuffer(8), 0, 1);
  const region = { start: { z, y, x }, stop: { z: z + 1, y: y + 1, x: x + 1 } };
  await volume.read(region, into, new AbortController().signal);
  return into[0] as number;
}

/** Whether another center is among the 26 voxels around this one. */
function touching(center: string): boolean {
  const [x = 0, y = 0, z = 0] = center.split(',').map(Number);
  const near = [-1, 0, 1];
  const around = near.flatMap((dz) => near.flatMap((dy) => near.map((dx) => `${x + dx},${y + dy},${z + dz}`)));
  return around.some((other) => other !== center && ours.has(other));
}
