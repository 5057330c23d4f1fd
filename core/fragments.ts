import { type DetectorOutput, fragmentFields } from '../native/index.js';
import type { OpenComponent } from './batch.js';
import type { Region } from './geometry.js';
import type { SparseStore, Stored } from './sparse.js';

/** A part of a component: where its bytes are, and what has to be known of it while they are away. */
export interface Fragment {
  readonly group: Group;
  readonly offset: number;
  readonly bytes: number;
  readonly voxels: number;
  readonly runs: number;
  readonly seeds: number;
  /** Bits of the core's faces that it may touch: low z, high z, low y, high y, low x, high x. */
  readonly faces: number;
  readonly block: number;
  component: Component;
}

/** Fragments that were stored together, and how many of them are still needed. */
interface Group {
  readonly stored: Stored;
  needed: number;
}

/** What is known to be one component of the mask. */
export interface Component {
  fragments: Fragment[];
  /** Faces of its fragments behind which nothing is known yet. */
  openFaces: number;
  voxels: number;
  box: { z0: number; z1: number; y0: number; y1: number; x0: number; x1: number };
  /** The cores that it touches: the first and last, and all. */
  firstBlock: number;
  lastBlock: number;
  blocks: Set<number>;
}

/** The fragments of a block while its chain runs, and the runs on its faces once it has. */
export class BlockFragments {
  readonly fragments: Fragment[] = [];
  readonly links: number[] = [];
  private readonly faceParts: Stored[][] = [[], [], [], [], [], []];

  constructor(
    private readonly block: number,
    private readonly store: SparseStore,
  ) {}

  /** Takes what a push left. */
  async add(output: Pick<DetectorOutput, 'fragments' | 'index' | 'links' | 'faces'>): Promise<void> {
    const count = output.index.length / fragmentFields;
    if (count === 0) return;
    const group = { stored: await this.store.put(output.fragments), needed: count };
    for (let at = 0; at < count; at++) {
      const fields = output.index.subarray(at * fragmentFields, (at + 1) * fragmentFields);
      this.fragments.push(this.describe(group, fields));
    }
    // One by one: there may be more of them than a call takes arguments.
    for (const link of output.links) this.links.push(link);
    for (const [face, runs] of output.faces.entries()) {
      if (runs.length > 0) this.faceParts[face]?.push(await this.store.put(bytesOf(runs)));
    }
  }

  /** The runs on a face: (u, v, length, fragment) each. They are forgotten by that. */
  async takeFace(face: number): Promise<Int32Array> {
    const parts = this.faceParts[face] as Stored[];
    this.faceParts[face] = [];
    const runs = new Uint8Array(parts.reduce((sum, part) => sum + part.bytes, 0));
    let at = 0;
    for (const part of parts) {
      runs.set(await part.read(0, part.bytes), at);
      at += part.bytes;
      await part.free();
    }
    return new Int32Array(runs.buffer);
  }

  private describe(group: Group, fields: Float64Array): Fragment {
    const [offset, bytes, voxels, runs, seeds, faces, z0, z1, y0, y1, x0, x1] = fields as unknown as number[] &
      FragmentNumbers;
    const component: Component = {
      fragments: [],
      openFaces: bitCount(faces),
      voxels,
      box: { z0, z1, y0, y1, x0, x1 },
      firstBlock: this.block,
      lastBlock: this.block,
      blocks: new Set([this.block]),
    };
    const fragment = { group, offset, bytes, voxels, runs, seeds, faces, block: this.block, component };
    component.fragments.push(fragment);
    return fragment;
  }
}

type FragmentNumbers = [number, number, number, number, number, number, number, number, number, number, number, number];

/** Joins two components into one of them, the larger, and returns that. */
export function joinComponents(a: Component, b: Component): Component {
  if (a === b) return a;
  const [to, from] = a.fragments.length >= b.fragments.length ? [a, b] : [b, a];
  for (const fragment of from.fragments) {
    fragment.component = to;
    to.fragments.push(fragment);
  }
  for (const block of from.blocks) to.blocks.add(block);
  to.openFaces += from.openFaces;
  to.voxels += from.voxels;
  to.firstBlock = Math.min(to.firstBlock, from.firstBlock);
  to.lastBlock = Math.max(to.lastBlock, from.lastBlock);
  for (const axis of ['z', 'y', 'x'] as const) {
    to.box[`${axis}0`] = Math.min(to.box[`${axis}0`], from.box[`${axis}0`]);
    to.box[`${axis}1`] = Math.max(to.box[`${axis}1`], from.box[`${axis}1`]);
  }
  from.fragments = [];
  return to;
}

/** Lets go of a component's fragments. */
export async function freeFragments(component: Component): Promise<void> {
  for (const { group } of component.fragments) {
    if (--group.needed === 0) await group.stored.free();
  }
}

export function boxOf({ box }: Component): Region {
  return { start: { z: box.z0, y: box.y0, x: box.x0 }, stop: { z: box.z1, y: box.y1, x: box.x1 } };
}

export function describeOpen(component: Component): OpenComponent {
  return { box: boxOf(component), voxels: component.voxels };
}

export function bitCount(bits: number): number {
  let count = 0;
  for (let left = bits; left !== 0; left &= left - 1) count++;
  return count;
}

function bytesOf(runs: Int32Array): Uint8Array {
  return new Uint8Array(runs.buffer, runs.byteOffset, runs.byteLength);
}
