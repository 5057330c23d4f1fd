#!/usr/bin/python3
"""Runs ../reference/reference.py on each folder named: reads volume.npy and parameters.json there, writes cells.csv and the images
of the chain there.

One process for many volumes: loading SciPy takes longer than a small volume does."""
import json
import os
import sys

import numpy as np

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reference"))
import reference  # noqa: E402

# NumPy takes differences of float32 order statistics in float32; the specification interpolates in float64.
percentile = np.percentile
reference.np.percentile = lambda values, at: percentile(values.astype(np.float64), at)

for folder in sys.argv[1:]:
    with open(os.path.join(folder, "parameters.json")) as file:
        parameters = json.load(file)
    columns, steps = reference.detect(np.load(os.path.join(folder, "volume.npy")), parameters)
    reference.write_cells(os.path.join(folder, "cells.csv"), columns)
    for name in ("illumination", "background", "equalized", "dog"):
        np.save(os.path.join(folder, name + ".npy"), steps[name])
