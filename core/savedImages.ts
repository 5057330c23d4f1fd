import type { AnyBlock } from './block.js';
import { type Region, zyx } from './geometry.js';
import type { ImageDtype, ImageSink, ImageVoxels } from './imageSink.js';

/** What is written, and where to. */
export interface WrittenImage {
  readonly dtype: ImageDtype;
  readonly sinks: readonly ImageSink[];
}

/** The step results that a run writes of one volume: sinks opened before the first read, closed or aborted together. */
export class SavedImages {
  private opening: Promise<void> | undefined;
  private readonly open: ImageSink[] = [];
  private deepest = 0;

  constructor(
    private readonly block: AnyBlock,
    private readonly saves: readonly WrittenImage[],
  ) {}

  /** Opens all sinks, once. */
  ready(): Promise<void> {
    this.opening ??= this.openAll();
    return this.opening;
  }

  /** Writes voxels of a region of the volume. */
  async write(n: number, region: Region, voxels: ImageVoxels): Promise<void> {
    const { start } = this.block.layout;
    const shifted = {
      start: zyx((a) => region.start[a] - start[a]),
      stop: zyx((a) => region.stop[a] - start[a]),
    };
    this.reach(region.stop.z);
    for (const sink of this.saves[n]?.sinks ?? []) await sink.write(shifted, voxels);
  }

  /** Says that there are planes up to `z`. */
  reach(z: number): void {
    this.deepest = Math.max(this.deepest, z - this.block.layout.start.z);
  }

  /** Planes of the images; of a volume of unknown depth as many as are known by now. */
  get depth(): number {
    const { start, stop } = this.block.layout;
    return stop.z === null ? this.deepest : stop.z - start.z;
  }

  async close(): Promise<void> {
    while (this.open.length > 0) {
      await this.open[0]?.close(this.depth);
      this.open.shift();
    }
  }

  /** Leaves nothing of what is not closed. */
  async abort(): Promise<void> {
    await this.opening?.catch(() => {});
    for (const sink of this.open.splice(0)) await sink.abort().catch(() => {});
  }

  private async openAll(): Promise<void> {
    const { volume, layout } = this.block;
    const { start, stop } = layout;
    const size = { z: stop.z === null ? null : stop.z - start.z, y: stop.y - start.y, x: stop.x - start.x };
    const { voxelSizeUm } = volume;
    const all = this.saves.flatMap(({ sinks, dtype }) => sinks.map((sink) => ({ sink, dtype })));
    for (const { sink, dtype } of all) {
      await sink.open({ size, dtype, ...(voxelSizeUm ? { voxelSizeUm } : {}) });
      this.open.push(sink);
    }
  }
}
