import type { StepPlan } from './block.js';
import type { BranchPlan } from './branchPlan.js';
import type { ChainImages, ImageNode } from './chainImages.js';
import { OptionError } from './errors.js';
import { noHalo } from './geometry.js';
import type { ImageSink } from './imageSink.js';
import type { Dtype } from './volume.js';

/** What leaves the chain plane by plane, an image or the maxima of a branch, and where it goes. */
export interface SavedImage {
  /** -1 for maxima. */
  readonly image: number;
  /** Of maxima, the place of their branch; else -1. */
  readonly detector: number;
  readonly dtype: Dtype;
  readonly sinks: readonly ImageSink[];
}

interface SaveOptions {
  readonly step: string;
  readonly sink: ImageSink;
}

/** The results of a pipeline that leave it plane by plane, each once. */
export class Saves {
  private readonly all = new Map<string, SavedImage>();
  private readonly seen = new Set<StepPlan>();

  constructor(private readonly images: ChainImages) {}

  /** Adds what the `save` steps of a branch ask for; what branches have in common is saved once. */
  ofBranch(plans: readonly StepPlan[], detector: number): void {
    const names = this.images.follow(plans);
    for (const plan of plans) {
      const asked = saveOf(plan);
      if (!asked || asked.step === 'shape' || this.seen.has(plan)) continue;
      this.seen.add(plan);
      if (asked.step === 'maxima') this.add({ image: -1, detector, dtype: 'uint8', sinks: [asked.sink] });
      else this.image(names.of(asked.step), asked.sink);
    }
  }

  /** Adds an image; without a sink whoever runs the chain takes it. */
  image(image: number, sink?: ImageSink): void {
    const { dtype } = this.images.nodes[image] as ImageNode;
    this.images.ask(image, noHalo);
    this.add({ image, detector: -1, dtype, sinks: sink ? [sink] : [] });
  }

  list(): readonly SavedImage[] {
    return [...this.all.values()];
  }

  private add(saved: SavedImage): void {
    const key = `${saved.image} ${saved.detector}`;
    const sinks = new Set([...(this.all.get(key)?.sinks ?? []), ...saved.sinks]);
    this.all.set(key, { ...saved, sinks: [...sinks] });
  }
}

function saveOf({ name, options }: StepPlan): SaveOptions | undefined {
  return name === 'save' ? (options as unknown as SaveOptions) : undefined;
}

/** The sinks of the `save` steps that ask for a result. */
export function sinksOf(plans: readonly StepPlan[], step: string): ImageSink[] {
  return plans.flatMap((plan) => {
    const asked = saveOf(plan);
    return asked?.step === step ? [asked.sink] : [];
  });
}

/** Whether there is something to save that takes a search for cells. */
export function savesCells(plans: readonly StepPlan[]): boolean {
  return ['maxima', 'shape'].some((step) => sinksOf(plans, step).length > 0);
}

/** Branches have other labels, so they cannot share a file of them. */
export function checkLabelSinks(branches: readonly BranchPlan[]): void {
  const sinks = branches.flatMap(({ labelSinks }) => labelSinks);
  const twice = sinks.find((sink, at) => sinks.indexOf(sink) !== at);
  if (twice)
    throw new OptionError('save', "the sink of 'shape'", 'one of its own in each branch', `${twice.path} twice`);
}
