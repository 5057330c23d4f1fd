import { Share } from './share.js';

/** What a block asks of the image half: slabs of memory, and bytes that native code takes by itself. */
export interface ImageRequest {
  readonly slabBytes: readonly number[];
  readonly nativeBytes: number;
}

/** Memory that a block has until it gives it back. */
export interface ImageGrant {
  readonly slabs: readonly SharedArrayBuffer[];
  /** Again is harmless. */
  release(): void;
}

/**
 * The image half of a budget. Blocks are admitted strictly first come, first served, each once and whole, so none
 * starves and none waits while it holds. Slabs are kept and reused: the first touch of fresh memory is what costs.
 */
export class ImageMemory {
  private readonly share: Share;
  private spare: SharedArrayBuffer[] = [];

  constructor(
    readonly capacityBytes: number,
    changed: (differenceBytes: number) => void,
  ) {
    this.share = new Share(capacityBytes, changed);
  }

  /** Waits for its turn and for room; rejects with the signal's reason when aborted while it waits. */
  async admit(request: ImageRequest, signal: AbortSignal): Promise<ImageGrant> {
    const give = await this.share.take(imageBytes(request), signal);
    const reused = request.slabBytes.map((bytes) => this.takeSpare(bytes));
    // What is spare beyond the capacity goes before fresh memory comes, so that both together stay within it.
    while (this.spareBytes() + this.share.usedBytes > this.capacityBytes) this.spare.pop();
    const slabs = reused.map((slab, at) => slab ?? new SharedArrayBuffer(request.slabBytes[at] as number));
    let held = true;
    const release = () => {
      if (!held) return;
      held = false;
      this.spare.unshift(...slabs);
      give();
    };
    return { slabs, release };
  }

  /** A spare slab of just that size; slabs of a run are of few sizes. */
  private takeSpare(bytes: number): SharedArrayBuffer | undefined {
    const at = this.spare.findIndex((slab) => slab.byteLength === bytes);
    return at < 0 ? undefined : this.spare.splice(at, 1)[0];
  }

  private spareBytes(): number {
    return this.spare.reduce((sum, slab) => sum + slab.byteLength, 0);
  }
}

export function imageBytes(request: ImageRequest): number {
  return request.slabBytes.reduce((sum, bytes) => sum + bytes, request.nativeBytes);
}
