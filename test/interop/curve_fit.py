#!/usr/bin/python3
"""Fits the curves of flat fields by SciPy's curve_fit: sets of points as JSON on standard input, the curves on standard output.

Of each set `method`, `positions`, `intensities` and `length` are given. `line` is the curve at 0 to length - 1, `squares` its sum of
squared errors; both are null where SciPy finds none. SciPy is given positions and intensities of about 1: with others it mostly gives up."""
import json
import sys
import warnings

import numpy as np
from scipy.optimize import curve_fit


def gaussian(x, a, m, s, b):
    return a * np.exp(-((x - m) ** 2) / (2 * s)) + b


def polynomial(x, m, a, b, c, d):
    return a + b * (x - m) ** 2 + c * (x - m) ** 4 + d * (x - m) ** 6


def fit(method, positions, intensities, length):
    x, unit = np.array(positions), max(intensities)
    y = np.array(intensities) / unit
    mean = (x * y).sum() / y.sum()
    scale = (x.max() - x.min()) / 2
    variance = (y * (x - mean) ** 2).sum() / y.sum() / scale**2
    curve, start = (gaussian, (1000 / unit, 0, variance, 400 / unit)) if method == "gaussian" else (polynomial, (0, 1, 1, 1, 0.1))
    x = (x - mean) / scale
    try:
        found, _ = curve_fit(curve, x, y, p0=start, maxfev=20000)
    except RuntimeError:
        return dict(line=None, squares=None)
    line = unit * curve((np.arange(length) - mean) / scale, *found)
    return dict(line=line.tolist(), squares=float(unit**2 * ((curve(x, *found) - y) ** 2).sum()))


np.seterr(all="ignore")
warnings.simplefilter("ignore")
json.dump([fit(**points) for points in json.load(sys.stdin)], sys.stdout)
