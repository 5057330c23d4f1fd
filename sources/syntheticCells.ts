import { type AXES, type Zyx, zyx } from '../core/geometry.js';

/** Neighbouring centers are at least so far apart along some axis, so that each is a cell of its own. */
const APART: Zyx = { z: 8, y: 14, x: 14 };
/** Centers keep so far from the faces of a volume that is large enough. */
const FROM_FACES: Zyx = { z: 4, y: 8, x: 8 };
/** Peaks of the weakest and the brightest cell, above the background. */
const AMPLITUDE = { least: 1500, most: 5000 } as const;

/** Where along each axis centers may be: `count` voxels from `first`, room for at most `nodes` centers. */
interface Room {
  readonly first: Zyx;
  readonly count: Zyx;
  readonly nodes: Zyx;
}

function roomIn(size: Zyx): Room {
  const first = zyx((a) => Math.min(FROM_FACES[a], Math.floor((size[a] - 1) / 2)));
  const count = zyx((a) => size[a] - 2 * first[a]);
  return { first, count, nodes: zyx((a) => 1 + Math.floor((count[a] - 1) / APART[a])) };
}

/** How many cells a volume has room for. */
export function mostCells(size: Zyx): number {
  const { nodes } = roomIn(size);
  return nodes.z * nodes.y * nodes.x;
}

/**
 * Places so many cells, at most `mostCells(size)`, on nodes of a lattice, each moved at random inside its own part.
 *
 * @returns x, y, z and amplitude of each, in z, y, x order
 */
export function placeCells(size: Zyx, cells: number, seed: number): Float64Array {
  const { first, count, nodes: most } = roomIn(size);
  // As coarse a lattice as holds them: the same part of the nodes that there could be, along each axis.
  const part = Math.cbrt(cells / (most.z * most.y * most.x));
  const nodes = zyx((a) => Math.min(most[a], Math.max(1, Math.ceil(part * most[a]))));
  const total = nodes.z * nodes.y * nodes.x;
  const next = randomNumbers(seed);
  /** A voxel of the i-th part along an axis; what is kept free at its end separates it from the next. */
  const within = (axis: (typeof AXES)[number], i: number): number => {
    const parts = count[axis] - 1 + APART[axis];
    const start = Math.floor((i * parts) / nodes[axis]);
    const end = Math.floor(((i + 1) * parts) / nodes[axis]) - APART[axis];
    return first[axis] + start + Math.floor(next() * (end - start + 1));
  };
  const placed: { readonly at: Zyx; readonly amplitude: number }[] = [];
  for (let node = 0; node < total; node++) {
    // Each node is taken with the chance that fills the rest exactly (selection sampling, Knuth, TAOCP 2, 3.4.2 S).
    if (next() * (total - node) >= cells - placed.length) continue;
    const lattice = {
      z: Math.floor(node / (nodes.y * nodes.x)),
      y: Math.floor(node / nodes.x) % nodes.y,
      x: node % nodes.x,
    };
    const at = zyx((a) => within(a, lattice[a]));
    placed.push({ at, amplitude: AMPLITUDE.least + next() * (AMPLITUDE.most - AMPLITUDE.least) });
  }
  placed.sort(({ at: a }, { at: b }) => a.z - b.z || a.y - b.y || a.x - b.x);
  const rows = new Float64Array(4 * placed.length);
  placed.forEach(({ at, amplitude }, i) => void rows.set([at.x, at.y, at.z, amplitude], 4 * i));
  return rows;
}

/** Numbers in [0, 1), the same for a seed on any machine (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
