/** The images of a chain, voxel by voxel as SPEC.md says: for `naive`, and as plain. */
import type { Zyx } from '../../core/geometry.js';
import type { Voxels } from '../../core/volume.js';

export interface Background {
  readonly size: { readonly y: number; readonly x: number };
  /** The specification's defaults where they are left out: a disk, and the morphological opening. */
  readonly form?: 'disk' | 'rectangle';
  readonly opening?: 'symmetric' | 'clearmap';
}

/** What the chain sees of a source: -0 reads as 0. */
export function asRead(data: Voxels): Voxels {
  return data.map((value) => (value === 0 ? 0 : value));
}

/** I - min(I, open(I)) per plane: erosion by the element, then dilation by its reflection or itself, inside the plane. */
export function background(data: Voxels, size: Zyx, asked: Background): Voxels {
  const offsets = elementOf(asked);
  const turned = asked.opening === 'clearmap' ? 1 : -1;
  const out = data.slice();
  const pixels = size.y * size.x;
  const inside = (y: number, x: number) => y >= 0 && x >= 0 && y < size.y && x < size.x;
  for (let first = 0; first < data.length; first += pixels) {
    const eroded = data.slice(first, first + pixels);
    for (let y = 0; y < size.y; y++)
      for (let x = 0; x < size.x; x++) {
        let least = Number.POSITIVE_INFINITY;
        for (const { dy, dx } of offsets)
          if (inside(y + dy, x + dx)) least = Math.min(least, data[first + (y + dy) * size.x + x + dx] as number);
        eroded[y * size.x + x] = least;
      }
    for (let y = 0; y < size.y; y++)
      for (let x = 0; x < size.x; x++) {
        let opened = Number.NEGATIVE_INFINITY;
        for (const { dy, dx } of offsets) {
          const [fromY, fromX] = [y + turned * dy, x + turned * dx];
          if (inside(fromY, fromX)) opened = Math.max(opened, eroded[fromY * size.x + fromX] as number);
        }
        // The array rounds the difference, once, to its own type.
        const source = data[first + y * size.x + x] as number;
        out[first + y * size.x + x] = source - Math.min(source, opened);
      }
  }
  return out;
}

function elementOf({ size, form = 'disk' }: Background): { dy: number; dx: number }[] {
  const along = (extent: number) =>
    Array.from({ length: extent }, (_, i) => {
      const offset = i - Math.floor(extent / 2);
      return { offset, reach: (offset + (extent % 2 === 0 ? 0.5 : 0)) / (extent - Math.floor(extent / 2)) };
    });
  return along(size.y).flatMap((y) =>
    along(size.x)
      .filter((x) => form === 'rectangle' || y.reach * y.reach + x.reach * x.reach < 1)
      .map((x) => ({ dy: y.offset, dx: x.offset })),
  );
}
