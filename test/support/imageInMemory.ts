import type { ImageDescription, ImageSink, ImageVoxels, Region } from '../../index.js';

/** A sink that keeps an image of labels, and takes only regions that tile it: each voxel once, all before the end. */
export class ImageInMemory implements ImageSink {
  readonly format = 'memory';
  readonly path = 'memory';
  readonly regions: Region[] = [];
  voxels = new Uint32Array(0);
  state: 'untouched' | 'open' | 'closed' | 'aborted' = 'untouched';
  private image: ImageDescription | undefined;
  private written = new Uint8Array(0);

  async open(image: ImageDescription): Promise<void> {
    expect(image.dtype === 'uint32', `labels are ${image.dtype}`);
    this.image = image;
    this.state = 'open';
    this.resize(image.size.z ?? 0);
  }

  async write(region: Region, voxels: ImageVoxels): Promise<void> {
    expect(this.state === 'open', `written while ${this.state}`);
    const { y: height, x: width } = (this.image as ImageDescription).size;
    const { start, stop } = region;
    if (this.image?.size.z === null) this.resize(Math.max(stop.z, this.voxels.length / (height * width)));
    let from = 0;
    for (let z = start.z; z < stop.z; z++)
      for (let y = start.y; y < stop.y; y++)
        for (let x = start.x; x < stop.x; x++) {
          const to = (z * height + y) * width + x;
          this.voxels[to] = voxels[from++] as number;
          this.written[to] = (this.written[to] as number) + 1;
        }
    expect(from === voxels.length, `${voxels.length} voxels of ${from}`);
    this.regions.push(region);
  }

  async close(depth: number): Promise<void> {
    const { y, x } = (this.image as ImageDescription).size;
    expect(this.voxels.length === depth * y * x, `${this.voxels.length} voxels of ${depth} planes`);
    expect(
      this.written.every((times) => times === 1),
      'a voxel is not written, or twice',
    );
    this.state = 'closed';
  }

  async abort(): Promise<void> {
    if (this.state === 'open') this.state = 'aborted';
  }

  /** Whether some parts are rows of a plane. */
  get cutsPlanes(): boolean {
    return this.regions.some(({ start, stop }) => stop.y - start.y < (this.image?.size.y ?? 0));
  }

  private resize(depth: number): void {
    const { y, x } = (this.image as ImageDescription).size;
    const [voxels, written] = [new Uint32Array(depth * y * x), new Uint8Array(depth * y * x)];
    voxels.set(this.voxels.subarray(0, voxels.length));
    written.set(this.written.subarray(0, written.length));
    this.voxels = voxels;
    this.written = written;
  }
}

function expect(is: boolean, otherwise: string): void {
  if (!is) throw new Error(otherwise);
}
