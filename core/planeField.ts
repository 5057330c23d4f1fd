import { createHash } from 'node:crypto';

/** The extent of a volume's plane, in pixels. */
export interface PlaneSize {
  readonly y: number;
  readonly x: number;
}

/**
 * A number for each pixel of a plane [y, x], or a row or column of them that is repeated over the plane: an option of a step,
 * and as small as any other where steps are printed, compared or recorded, since as JSON it is its extent and its hash.
 */
export class PlaneField {
  /** SHA-256 of the values, in hexadecimal digits. */
  readonly sha256: string;
  private readonly values: Float64Array;

  /** The values are copied, x fastest; an axis along which they are repeated has an extent of null, and takes one. */
  constructor(
    values: ArrayLike<number>,
    readonly size: { readonly y: number | null; readonly x: number | null },
  ) {
    this.values = Float64Array.from(values);
    this.sha256 = createHash('sha256').update(this.values).digest('hex');
  }

  /** Whether it can be laid over a plane of this extent. */
  fits(plane: PlaneSize): boolean {
    return (this.size.y ?? plane.y) === plane.y && (this.size.x ?? plane.x) === plane.x;
  }

  at(y: number, x: number): number {
    const row = this.size.y === null ? 0 : y;
    return this.values[this.size.x === null ? row : row * this.size.x + x] as number;
  }

  /** A value for each pixel of a plane that it fits, x fastest; to be read only, since it may be the field's own. */
  over({ y: height, x: width }: PlaneSize): Float64Array {
    if (this.size.y !== null && this.size.x !== null) return this.values;
    const plane = new Float64Array(height * width);
    for (let y = 0; y < height; y++) {
      const row = plane.subarray(y * width, (y + 1) * width);
      if (this.size.x === null) row.fill(this.at(y, 0));
      else row.set(this.values);
    }
    return plane;
  }

  toJSON() {
    return { size: this.size, sha256: this.sha256 };
  }
}
