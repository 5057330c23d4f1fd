import { type AnyBlock, FIXED_IMAGES, type FixedImage, type StepPlan } from './block.js';
import { addHalos, greaterHalo, type Halo, noHalo } from './geometry.js';
import type { Dtype, Volume } from './volume.js';

/** How an image is made: the step, the image that it is made of, and that outside of which nothing counts for the step. */
export interface Made {
  readonly by: StepPlan;
  readonly from: number;
  readonly mask: number | null;
}

/** An image of a chain: a volume that is read, or what a step makes of an earlier image. */
export interface ImageNode {
  readonly dtype: Dtype;
  /** Of an input, what is read. */
  readonly volume?: Volume;
  readonly made?: Made;
  /** Voxels around a core on which something asks for it. */
  halo: Halo;
}

/** Where each image of one pipeline, or of one of its branches, is among the nodes. */
export class ImageNames {
  private readonly places = new Map<string, number>();

  constructor(private readonly read: (name: string) => number) {}

  set(name: string, node: number): void {
    this.places.set(name, node);
  }

  /** The node that a name stands for: of a fixed name whose step was skipped, the nearest made before it. */
  of(name: string): number {
    const at = FIXED_IMAGES.indexOf(name as FixedImage);
    if (at < 0) return this.read(name);
    const made = FIXED_IMAGES.slice(0, at + 1).findLast((one) => this.places.has(one));
    return this.places.get(made ?? 'source') as number;
  }
}

/** The images of all branches of a pipeline. What branches have in common is there once. */
export class ChainImages {
  readonly nodes: ImageNode[] = [];
  private readonly inputs = new Map<Volume, number>();

  constructor(private readonly block: AnyBlock) {
    this.nodes.push({ dtype: block.volume.dtype, volume: block.volume, halo: noHalo });
  }

  /** Adds the images that these steps make, where they are not there yet. */
  follow(plans: readonly StepPlan[]): ImageNames {
    const names = new ImageNames((name) => this.input(this.block.also[name] as Volume));
    names.set('source', 0);
    let last = 0;
    for (const plan of plans) {
      const [name] = plan.adds.filter((result) => (FIXED_IMAGES as readonly string[]).includes(result));
      if (name === undefined) continue;
      last = this.made(plan, last);
      names.set(name, last);
    }
    return names;
  }

  /** Says that an image is asked for on cores grown by a halo. */
  ask(node: number, halo: Halo): void {
    const image = this.nodes[node] as ImageNode;
    image.halo = greaterHalo(image.halo, halo);
    if (!image.made) return;
    const { by, from, mask } = image.made;
    for (const input of [from, ...(mask === null ? [] : [mask])]) this.ask(input, addHalos(image.halo, by.halo));
  }

  private made(by: StepPlan, from: number): number {
    const known = this.nodes.findIndex(({ made }) => made?.by === by && made.from === from);
    if (known >= 0) return known;
    const dtype = by.dtype ?? (this.nodes[from] as ImageNode).dtype;
    const { mask } = by.options as { readonly mask?: Volume };
    return this.nodes.push({ dtype, made: { by, from, mask: mask ? this.input(mask) : null }, halo: noHalo }) - 1;
  }

  /** A volume beside the one that blocks are of becomes an image when something asks for it. */
  private input(volume: Volume): number {
    const known = this.inputs.get(volume);
    if (known !== undefined) return known;
    const node = this.nodes.push({ dtype: volume.dtype, volume, halo: noHalo }) - 1;
    this.inputs.set(volume, node);
    return node;
  }
}
