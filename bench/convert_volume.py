#!/usr/bin/python3
"""Writes a (z, y, x) .npy in another format: convert_volume.py IN.npy OUT

OUT.npy gets the voxels as they lie, in Fortran order with the axes (x, y, z), as ClearMap writes them; another name becomes a folder
of one uncompressed TIFF a plane. Debian: python3-numpy python3-tifffile."""
import os
import sys

import numpy as np


def main():
    source, out = sys.argv[1:3]
    volume = np.load(source, mmap_mode="r")
    if out.endswith(".npy"):
        np.save(out, volume.T)
        return
    import tifffile

    os.makedirs(out)
    for z, plane in enumerate(volume):
        tifffile.imwrite(os.path.join(out, f"Z{z:04}.tif"), plane)


if __name__ == "__main__":
    main()
