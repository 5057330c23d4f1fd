import { type AnyBlock, FIXED_IMAGES, type FixedImage, type StepPlan } from './block.js';
import { addHalos, greaterHalo, type Halo, noHalo } from './geometry.js';
import type { Dtype, Volume } from './volume.js';

/** How an image is made: the step, the image that it is made of, and further ones: the step's mask, or what a user's step takes. */
export interface Made {
  readonly by: StepPlan;
  readonly from: number;
  readonly others: readonly number[];
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
  /** In the order in which they are made, first the source. */
  private readonly made: { readonly name: string; readonly node: number }[] = [{ name: 'source', node: SOURCE }];
  /** How many of them come before the search for maxima. */
  private before: number | undefined;

  constructor(private readonly read: (name: string) => number) {}

  set(name: string, node: number): void {
    this.made.push({ name, node });
  }

  /** The image made last, which the next step works on. */
  get last(): number {
    return (this.made.at(-1) as { node: number }).node;
  }

  /** Says that the search for maxima comes here. */
  search(): void {
    this.before = this.made.length;
  }

  /** The image in which maxima are searched, and shapes around them. */
  get searched(): number {
    return (this.made[(this.before ?? this.made.length) - 1] as { node: number }).node;
  }

  /**
   * The node that a name stands for: of a fixed name whose step was skipped, its input. The step is thought to have come as late as it
   * could, right before the next of the fixed ones that is there, or before the search for maxima.
   */
  of(name: string): number {
    const known = this.made.find((one) => one.name === name);
    if (known) return known.node;
    const at = placeOf(name);
    if (at < 0) return this.read(name);
    const next = this.made.findIndex((one) => placeOf(one.name) > at);
    return next < 0 ? this.searched : (this.made[next - 1] as { node: number }).node;
  }
}

const SOURCE = 0;

/** The place of a fixed image in the order of the chain; -1 for others. */
function placeOf(name: string): number {
  return FIXED_IMAGES.indexOf(name as FixedImage);
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
    for (const plan of plans) {
      if (plan.adds.includes('maxima')) names.search();
      const name = imageOf(plan);
      if (name !== undefined) names.set(name, this.made(plan, names));
    }
    return names;
  }

  /** Says that an image is asked for on cores grown by a halo. */
  ask(node: number, halo: Halo): void {
    const image = this.nodes[node] as ImageNode;
    image.halo = greaterHalo(image.halo, halo);
    if (!image.made) return;
    const { by, from, others } = image.made;
    for (const input of [from, ...others]) this.ask(input, addHalos(image.halo, by.halo));
  }

  private made(by: StepPlan, names: ImageNames): number {
    const from = names.last;
    const { mask } = by.options as { readonly mask?: Volume };
    const others = mask ? [this.input(mask)] : (by.external?.with ?? []).map((name) => names.of(name));
    const known = this.nodes.findIndex(
      ({ made }) => made?.by === by && made.from === from && made.others.every((other, at) => other === others[at]),
    );
    if (known >= 0) return known;
    const dtype = by.dtype ?? (this.nodes[from] as ImageNode).dtype;
    return this.nodes.push({ dtype, made: { by, from, others }, halo: noHalo }) - 1;
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

/** The name of the image that a step makes, if it makes one. */
export function imageOf({ adds, external }: StepPlan): string | undefined {
  return adds.find((name) => external || placeOf(name) >= 0);
}
