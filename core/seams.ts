import { addon } from '../native/index.js';
import type { OpenComponent } from './batch.js';
import type { Layout } from './block.js';
import { ComponentError } from './errors.js';
import { type BlockFragments, boxOf, type Component, describeOpen, joinComponents } from './fragments.js';
import { neighbour } from './layout.js';

/** Faces of a core in the order of their bits: each axis, before and behind. */
const FACES = [
  { axis: 'z', side: -1 },
  { axis: 'z', side: 1 },
  { axis: 'y', side: -1 },
  { axis: 'y', side: 1 },
  { axis: 'x', side: -1 },
  { axis: 'x', side: 1 },
] as const;

export interface SeamOptions {
  readonly layout: Layout;
  readonly maskThreshold: number;
  readonly maxComponentVoxels: number;
  /** Takes a component that nothing can extend any more. */
  readonly complete: (component: Component) => void;
}

/**
 * Joins components across the faces of cores. A component is complete once, behind every face that it touches, either
 * the neighbour's runs were compared with its own or there is no neighbour; so it comes out whole, once, whatever the order in which blocks end.
 */
export class Seams {
  /** Blocks that ended and have a neighbour that has not. */
  private readonly waiting = new Map<number, { readonly fragments: BlockFragments; open: number }>();
  /** Blocks that never come, or had their turn: they have no more to say. */
  private readonly over = new Set<number>();
  /** Components of blocks that are not out. */
  private readonly open = new Set<Component>();
  private readonly handedOut = new WeakSet<Component>();
  /** How many components that are not complete end in each block. */
  private readonly unsettled = new Map<number, number>();

  constructor(private readonly options: SeamOptions) {}

  /** Takes a block that ended. */
  async add(index: number, fragments: BlockFragments): Promise<void> {
    for (const fragment of fragments.fragments) this.include(fragment.component);
    const { links } = fragments;
    for (let i = 0; i < links.length; i += 2) this.join(fragments, links[i], fragments, links[i + 1]);
    const entry = { fragments, open: 0 };
    for (const [face, { axis, side }] of FACES.entries()) {
      const other = neighbour(this.options.layout, index, axis, side);
      if (other !== null && this.waiting.has(other)) {
        await this.compare(fragments, face, other);
      } else if (other === null || this.over.has(other)) {
        await this.close(fragments, face);
      } else {
        entry.open |= 1 << face;
      }
    }
    if (entry.open !== 0) this.waiting.set(index, entry);
    this.over.add(index);
    this.completeAll(fragments);
  }

  /** Says that a block never comes: what lies there counts as outside the mask. */
  async skip(index: number): Promise<void> {
    if (this.over.has(index) || this.waiting.has(index)) return;
    this.over.add(index);
    for (const [face, { axis, side }] of FACES.entries()) {
      const other = neighbour(this.options.layout, index, axis, side);
      const entry = other === null ? undefined : this.waiting.get(other);
      if (other === null || !entry) continue;
      await this.close(entry.fragments, face ^ 1);
      this.closeWaiting(other, entry, face ^ 1);
      this.completeAll(entry.fragments);
    }
  }

  /** Says that no more blocks come. */
  async end(): Promise<void> {
    for (const { fragments, open } of this.waiting.values()) {
      for (let face = 0; face < FACES.length; face++) {
        if (open & (1 << face)) await this.close(fragments, face);
      }
    }
    for (const { fragments } of this.waiting.values()) this.completeAll(fragments);
    this.waiting.clear();
  }

  /** Whether a component that is not delivered ends in this block. */
  isUnsettled(index: number): boolean {
    return this.unsettled.has(index);
  }

  /** Says that a component's cells are where they belong, among those of the last block that it touches. */
  settle(component: Component): void {
    this.count(component.lastBlock, -1);
  }

  /**
   * Components that touch blocks up to this one, whose cells are out, and blocks after it, whose cells are not. Those
   * that end here are forgotten by that.
   */
  openBeyond(index: number): OpenComponent[] {
    const beyond: OpenComponent[] = [];
    for (const component of this.open) {
      if (component.lastBlock <= index) this.open.delete(component);
      else if (component.firstBlock <= index) beyond.push(describeOpen(component));
    }
    return beyond;
  }

  /** Compares the runs on both sides of a face and joins the components that touch. */
  private async compare(fragments: BlockFragments, face: number, other: number): Promise<void> {
    const entry = this.waiting.get(other);
    if (!entry) return;
    const mine = await fragments.takeFace(face);
    const theirs = await entry.fragments.takeFace(face ^ 1);
    const pairs = addon.touching(mine, theirs);
    for (let i = 0; i < pairs.length; i += 2) this.join(fragments, pairs[i], entry.fragments, pairs[i + 1]);
    closeFaces(fragments, face);
    closeFaces(entry.fragments, face ^ 1);
    this.closeWaiting(other, entry, face ^ 1);
    this.completeAll(entry.fragments);
  }

  private async close(fragments: BlockFragments, face: number): Promise<void> {
    await fragments.takeFace(face);
    closeFaces(fragments, face);
  }

  private closeWaiting(index: number, entry: { open: number }, face: number): void {
    entry.open &= ~(1 << face);
    if (entry.open === 0) this.waiting.delete(index);
  }

  private include(component: Component): void {
    this.open.add(component);
    this.count(component.lastBlock, 1);
    this.checkSize(component);
  }

  private join(a: BlockFragments, i = -1, b: BlockFragments, j = -1): void {
    const one = a.fragments[i]?.component;
    const two = b.fragments[j]?.component;
    if (!one || !two) throw new RangeError(`a seam names fragments ${i} and ${j} that do not exist`);
    if (one === two) return;
    this.count(one.lastBlock, -1);
    this.count(two.lastBlock, -1);
    const joined = joinComponents(one, two);
    this.open.delete(joined === one ? two : one);
    this.count(joined.lastBlock, 1);
    this.checkSize(joined);
  }

  private checkSize(component: Component): void {
    const { maxComponentVoxels, maskThreshold } = this.options;
    if (component.voxels <= maxComponentVoxels) return;
    throw new ComponentError(boxOf(component), component.voxels, maskThreshold, maxComponentVoxels);
  }

  private count(block: number, difference: number): void {
    const count = (this.unsettled.get(block) ?? 0) + difference;
    if (count === 0) this.unsettled.delete(block);
    else this.unsettled.set(block, count);
  }

  /** Hands out the components of these fragments that have become complete, each once. */
  private completeAll({ fragments }: BlockFragments): void {
    for (const { component } of fragments) {
      if (component.openFaces > 0 || component.fragments.length === 0 || this.handedOut.has(component)) continue;
      this.handedOut.add(component);
      this.options.complete(component);
    }
  }
}

/** Counts a face as known for every fragment that may touch it. */
function closeFaces({ fragments }: BlockFragments, face: number): void {
  for (const fragment of fragments) {
    if (fragment.faces & (1 << face)) fragment.component.openFaces--;
  }
}
