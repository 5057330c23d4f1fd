#!/usr/bin/python3
"""What ClearMap's blocks, illumination correction, equalization and difference of Gaussians give beside the reference: figures of
docs/clearmap.md.

Each is written down here as ClearMap computes it, on the same libraries. Debian: python3-numpy
python3-scipy python3-skimage python3-tifffile.

    clearmap_steps.py FOLDER_OF_TIFF [CLEARMAP_TABLE.csv]"""
import csv
import glob
import math
import os
import sys

import numpy as np
import scipy.ndimage as ndi
import tifffile
from skimage.segmentation import watershed

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "test", "reference"))
import reference as ref


def cells(volume, valid=None):
    """The default chain as ClearMap has it, by center; seeds outside the valid rows are gone before shapes are found."""
    background = ref.remove_background(volume, 10, opening="clearmap")
    centers = ref.maxima(background, plateaus="all")
    centers = centers[background[tuple(centers.T)] > 700]
    found = len(centers)
    if valid is not None:
        centers = centers[(centers[:, 1] >= valid[0]) & (centers[:, 1] < valid[1])]
    labels, sizes = ref.shape(background, centers, 700)
    measured = [ref.intensity_of_shapes(v, labels, len(centers)) for v in (volume, background)]
    return {tuple(c): row for c, row in zip(centers.tolist(), zip(sizes, *measured))}, found


def clearmap_blocks(volume, longest=100, overlap=32):
    """Blocks as ClearMap makes them of planes, here of rows, because a crop has more of these."""
    height = volume.shape[1]
    count = max(1, math.ceil((height - longest) / (longest - overlap) + 1))
    starts = [round(i * (height - overlap) / count) for i in range(count)]
    stops = [start + overlap for start in starts[1:]] + [height]
    merged, rows = {}, 0
    for start, stop in zip(starts, stops):
        valid = (start and start + overlap // 2, height if stop == height else stop - overlap // 2)
        block, found = cells(volume[:, start:stop], (valid[0] - start, valid[1] - start))
        merged.update({(z, y + start, x): row for (z, y, x), row in block.items()})
        rows += found
    return count, merged, rows


def clearmap_seeds(volume):
    """Sizes by center, from seeds drawn as crosses of seven voxels; where crosses overlap, their numbers are added.

    A sum is another cell's number, but whose depends on the order of all maxima; here it gets a number of its own, without a row."""
    background = ref.remove_background(volume, 10, opening="clearmap")
    mask = background > 700
    centers = ref.maxima(background, plateaus="all")
    centers = centers[mask[tuple(centers.T)]]
    seeds, drawn = np.zeros(np.array(volume.shape) + 2, np.int64), np.zeros(np.array(volume.shape) + 2, np.uint8)
    for offset in ((0, 0, 0), (1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)):
        at = tuple((centers + 1 + offset).T)
        np.add.at(seeds, at, np.arange(1, len(centers) + 1))
        np.add.at(drawn, at, 1)
    seeds[drawn > 1] += len(centers)
    labels = watershed(-background.astype(np.int32), seeds[1:-1, 1:-1, 1:-1], mask=mask)
    sizes = np.bincount(labels.ravel())[1 : len(centers) + 1]
    return {tuple(c): int(size) for c, size in zip(centers.tolist(), sizes) if size > 0}


def compare_seeds(volume, table):
    with open(table, newline="") as file:
        theirs = {tuple(int(float(row[a])) for a in "zyx"): float(row["size"]) for row in csv.DictReader(file)}
    sizes = clearmap_seeds(volume)
    common = [center for center in sizes if center in theirs]
    same = sum(sizes[center] == theirs[center] for center in common)
    print(f"seeds as crosses: {len(sizes)} cells, {len(common)} of them in the table, {same} with the table's size")


def clearmap_illumination(volume, flatfield):
    """The flat field is cast to the source's type, and so is each quotient, before the scaling by the mean."""
    flat = flatfield.astype(volume.dtype)
    corrected = np.empty_like(volume)
    for z, plane in enumerate(volume):
        corrected[z] = plane / flat
    return corrected * flat.mean()


def clearmap_percentiles(volume, percentile, window, spacing):
    """Percentiles around the centers of a grid, which is then stretched until its outer centers lie on the outer voxels."""
    centers = [ref.sample_centers(s, h) for s, h in zip(volume.shape, spacing)]
    grids = np.empty([len(percentile)] + [len(c) for c in centers])
    for index in np.ndindex(grids.shape[1:]):
        at = [c[i] for c, i in zip(centers, index)]
        box = tuple(slice(max(0, a - w // 2), a - w // 2 + w) for a, w in zip(at, window))
        grids[(slice(None), *index)] = np.percentile(volume[box], [100 * p for p in percentile])
    return [ndi.zoom(grid, [s / n for s, n in zip(volume.shape, grid.shape)], order=1) for grid in grids]


def clearmap_equalize(volume, percentile=(0.5, 0.95), limit=1.5, window=(5, 200, 200), spacing=(5, 50, 50)):
    low, high = clearmap_percentiles(volume, percentile, window, spacing)
    gain = 1 / np.maximum(low, 1)
    boosted = high * gain > limit
    gain[boosted] = limit / high[boosted]
    return volume * gain


def clearmap_dog(volume, size):
    """A correlation whose result has the source's type."""
    offsets = [np.arange(-(s // 2), s - s // 2) + (0.5 if s % 2 == 0 else 0.0) for s in size]
    outer = np.array(size) / 2 / math.sqrt(2 * math.log(2))
    kernels = []
    for sigma in (outer / 1.5, outer):
        z, y, x = (np.exp(-(o**2) / (2 * s**2)) for o, s in zip(offsets, sigma))
        kernel = z[:, None, None] * y[:, None] * x
        kernels.append(kernel / kernel.sum())
    return ndi.correlate(volume, (kernels[0] - kernels[1]).astype(np.float32))


def share(condition):
    return f"{100 * np.mean(condition):.1f} %"


def unlike(found, expected):
    return share(np.abs(found - expected) > 0.01 * np.abs(expected)) + " of voxels differ by more than 1 %"


def main():
    volume = np.stack([tifffile.imread(p) for p in sorted(glob.glob(os.path.join(sys.argv[1], "*.tif")))])
    depth, height, width = volume.shape
    if len(sys.argv) > 2:
        compare_seeds(volume, sys.argv[2])
    whole, _ = cells(volume)
    count, merged, rows = clearmap_blocks(volume)
    common = [c for c in whole if c in merged]
    unlike_cells = sum(whole[c] != merged[c] for c in common)
    print(f"blocks: of {len(whole)} cells in one block, {len(common)} are found in {count}, {unlike_cells} with another size or intensity")
    print(f"blocks: {rows} rows, were centers outside the valid ranges kept")

    y, x = np.indices((height, width))
    # A plane lit to 1000 in its middle and 600 far from it, as a measured flat field would be: in the image's unit.
    flat = 600 + 400 * np.exp(-(((y - height / 2) / 300) ** 2 + ((x - width / 2) / 350) ** 2))
    ours, theirs = ref.correct_illumination(volume, flat), clearmap_illumination(volume, flat)
    print(f"illumination: {len(np.unique(theirs))} grey values of {len(np.unique(ours))}; {unlike(theirs, ours.astype(float))}")

    ours, theirs = ref.equalize(volume), clearmap_equalize(volume)
    print(f"equalize: {unlike(theirs, ours)}")
    middle, reach = depth // 2, min(depth // 2, 6)
    upper, lower = clearmap_equalize(volume[: middle + reach]), clearmap_equalize(volume[middle - reach :])
    blocks = np.concatenate([upper[:middle], lower[reach:]])
    print(f"equalize, ClearMap's in two blocks that share {2 * reach} planes, and in one: {unlike(blocks, theirs)}")

    background = ref.remove_background(volume, 10)
    ours, theirs = ref.dog(background, dict(x=7, y=7, z=5)), clearmap_dog(background, (5, 7, 7))
    wrapped = theirs > np.iinfo(volume.dtype).max // 2
    print(f"dog: {share(wrapped)} of voxels wrap to a greatest value of {theirs.max()}, where the difference reaches {ours.max():.0f}")
    print(f"dog: above 60 are {share(theirs > 60)} of voxels instead of {share(ours > 60)}")


if __name__ == "__main__":
    main()
