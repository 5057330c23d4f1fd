#!/usr/bin/python3
"""How fast the usual libraries do what each kernel does, on one thread: one line of JSON each, with the names of native/bench/kernels.cc.

    libraries.py DENSE.npy CROWDED.npy PLANES ROWS

Both are (z, y, x) arrays of uint16, of which the first rows of the first planes count. The slower a library, the smaller the part of
them that it is given: rates are per voxel.
Debian: python3-numpy python3-scipy python3-skimage python3-opencv."""
import json
import os
import sys
import time

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import cv2
import numpy as np
import scipy.ndimage as ndi
from skimage.morphology import reconstruction
from skimage.segmentation import watershed

from baseline import disk


def measure(kernel, library, voxels, work):
    start = time.perf_counter()
    work()
    rate = voxels / (time.perf_counter() - start) / 1e6
    print(json.dumps(dict(kernel=kernel, library=library, mvoxelPerSecond=rate)), flush=True)


def opened(plane, size):
    return cv2.subtract(plane, cv2.morphologyEx(plane, cv2.MORPH_OPEN, disk(size)))


def read(path, planes, rows):
    return np.array(np.load(path, mmap_mode="r")[:planes, :rows])


def background_of(volume):
    return np.stack([opened(plane, 10) for plane in volume])


def measure_openings(volume):
    for size, planes in ((10, 32), (11, 32), (30, 16), (50, 8), (100, 4)):
        few = volume[:planes]
        measure(f"opening {size}", "OpenCV", few.size, lambda: [opened(plane, size) for plane in few])


def measure_dog(background, size):
    """Both Gaussians reach as far as the box; where its size is even, that is one voxel more on one side."""
    wide = np.array(size) / 2 / np.sqrt(2 * np.log(2))
    reach = [s // 2 for s in size]

    def difference():
        narrow, subtracted = (ndi.gaussian_filter(background, s, output=np.float32, radius=reach) for s in (wide / 1.5, wide))
        return np.maximum(narrow - subtracted, 0)

    measure(f"dog {','.join(map(str, size))}", "SciPy", background.size, difference)


def measure_illumination(volume):
    flatfield = 600 + 400 * np.exp(-8 * (np.arange(volume.shape[1]) / volume.shape[1] - 0.5) ** 2)[:, None]

    def correct():
        for plane in volume:
            np.clip(np.rint(plane / flatfield * 1000), 0, 65535).astype(np.uint16)

    measure("illumination", "NumPy", volume.size, correct)


def measure_watershed(volume, percent):
    """From the maxima in the mask to the sizes and greatest values of cells. Of as many planes as the kernel has, because the more
    voxels there are, the longer each takes."""
    background = background_of(volume)
    mask = background > np.quantile(background, 1 - percent / 100)
    centers = np.argwhere((ndi.maximum_filter(background, 5) == background) & mask)
    index = np.arange(1, len(centers) + 1)
    seeds = np.zeros(volume.shape, np.int32)
    seeds[tuple(centers.T)] = index
    negated = -background.astype(np.int32)

    def cells():
        labels = watershed(negated, seeds, mask=mask)
        ndi.sum(np.ones(labels.shape, bool), labels, index)
        for image in (volume, background):
            ndi.maximum(image, labels, index)

    measure(f"watershed, {percent} % masked", "scikit-image", volume.size, cells)


def main():
    cv2.setNumThreads(1)
    dense, crowded = sys.argv[1:3]
    planes, rows = map(int, sys.argv[3:])
    whole = read(dense, planes, rows)
    measure_openings(whole)
    volume = whole[:16, :, :1024].copy()
    background = background_of(volume)
    for size in ((6, 10, 10), (5, 7, 7)):
        measure_dog(background, size)
    measure_illumination(volume)
    for size in (5, 9):
        measure(f"maxima {size}", "SciPy", background.size, lambda: ndi.maximum_filter(background, size) == background)
    small = background[:, :256, :512].copy()
    for height in (20, 100):
        measure(f"hMax {height}", "scikit-image", small.size, lambda: reconstruction(np.maximum(small, height) - height, small))
    measure_watershed(whole, 1)
    measure_watershed(read(crowded, planes, rows), 8)


if __name__ == "__main__":
    main()
