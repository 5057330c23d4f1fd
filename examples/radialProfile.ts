/**
 * A measure of one's own: how wide a cell is, told by its radial profile, the mean brightness of the rings around its center.
 *
 *     node dist/examples/radialProfile.js [FOLDER [OUT.csv]]
 */
import { lastValueFrom } from 'rxjs';
import { blocks, cells, csv, maxima, measure, removeBackground, shape, tiffSeries, write } from 'somaflow';

const [folder = 'examples/data/mini', out = 'cells.csv'] = process.argv.slice(2);

/** Rings of a pixel's width around the center, in its plane. */
const RINGS = 10;
const WIDTH = 2 * RINGS - 1;

/** The ring of each pixel of a window; those beyond the last ring belong to none. */
const ringOf = Array.from({ length: WIDTH * WIDTH }, (_, at) => {
  const [y, x] = [Math.floor(at / WIDTH) - RINGS + 1, (at % WIDTH) - RINGS + 1];
  return Math.round(Math.hypot(y, x));
});

/** Mean brightness by distance from the center; what lies outside of the volume does not count. */
function profileOf(pixels: ArrayLike<number>, isInside: (at: number) => boolean): number[] {
  const sums = new Float64Array(RINGS);
  const counts = new Float64Array(RINGS);
  ringOf.forEach((ring, at) => {
    if (ring >= RINGS || !isInside(at)) return;
    sums[ring] = (sums[ring] as number) + (pixels[at] as number);
    counts[ring] = (counts[ring] as number) + 1;
  });
  return Array.from(sums, (sum, ring) => sum / Math.max(1, counts[ring] as number));
}

/** Where the profile falls to half of what it is at the center, between rings along a line; NaN where it never does. */
function halfWidth(profile: readonly number[]): number {
  const half = (profile[0] as number) / 2;
  const ring = profile.findIndex((brightness) => brightness < half);
  if (ring < 1) return Number.NaN;
  const [before, behind] = [profile[ring - 1] as number, profile[ring] as number];
  return ring - 1 + (before - half) / (before - behind);
}

// Called with the windows of many cells at a time; one number for each becomes the column `halfWidth`.
const width = measure(
  'halfWidth',
  { of: 'background', window: { z: 1, y: WIDTH, x: WIDTH } },
  ({ voxels, centers, volume }, count) =>
    Float64Array.from({ length: count }, (_, cell) => {
      const [, y = 0, x = 0] = centers.subarray(3 * cell, 3 * cell + 3);
      const pixels = voxels.subarray(cell * WIDTH * WIDTH, (cell + 1) * WIDTH * WIDTH);
      return halfWidth(
        profileOf(pixels, (at) => {
          const [row, column] = [y + Math.floor(at / WIDTH) - RINGS + 1, x + (at % WIDTH) - RINGS + 1];
          return row >= 0 && column >= 0 && row < volume.y && column < volume.x;
        }),
      );
    }),
);

const volume = await tiffSeries(folder);
const found = blocks(volume).pipe(
  removeBackground({ size: 10 }),
  maxima({ size: 5 }),
  shape({ threshold: 700 }),
  width,
  cells({ memory: '512 MiB' }),
  write(csv(out)),
);
await lastValueFrom(found);
console.log(`cells with the width at half of their brightness are in ${out}`);
