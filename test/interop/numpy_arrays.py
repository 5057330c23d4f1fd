#!/usr/bin/python3
"""Tells, as JSON, what NumPy loads from the files named; with --write FOLDER first saves tables of its own there.

Numbers go as the hexadecimal digits of their big-endian bytes, so that -0, NaN and all of int64 are told apart."""
import json
import os
import sys
import warnings

import numpy as np

warnings.simplefilter("error")
warnings.filterwarnings("ignore", "Stored array in format 3.0")

OWN_TYPES = {
    "clearmap": [("x", int), ("y", int), ("z", int), ("size", int), ("source", float), ("background", float)],
    "big_endian": [("x", ">i8"), ("y", ">i4"), ("z", ">u2"), ("source", ">f4"), ("mean", ">f8")],
    "narrow": [("x", "u1"), ("y", "i1"), ("z", "<u4"), ("size", "<u8"), ("source", "<f4")],
    "umlaut": [("größe", "<i2"), ("mean", "<f8")],
}


def own_tables(folder):
    random = np.random.default_rng(7)
    for name, fields in OWN_TYPES.items():
        for align in (False, True):
            for rows in (0, 1, 1000):
                table = np.zeros(rows, np.dtype(fields, align=align))
                for field in table.dtype.names:
                    integer = table.dtype[field].kind in "iu"
                    table[field] = random.integers(0, 127, rows) if integer else random.normal(0, 1e3, rows)
                path = os.path.join(folder, f"{name}_{'aligned' if align else 'packed'}_{rows}.npy")
                np.save(path, table)
                yield path


def digits(values):
    return values.astype(">i8" if values.dtype.kind in "iu" else ">f8").tobytes().hex()


def describe(path):
    array = np.load(path)
    told = {"path": path, "descr": array.dtype.str, "shape": array.shape}
    if array.dtype.names is None and array.dtype.kind != "V":
        return told | {"digits": digits(array), "contiguous": array.flags.c_contiguous}
    fields = [(name, array.dtype[name].str, digits(array[name])) for name in array.dtype.names or ()]
    return told | {"fields": fields}


paths = sys.argv[1:]
if paths[:1] == ["--write"]:
    paths = list(own_tables(paths[1])) + paths[2:]
json.dump({"numpy": np.__version__, "arrays": [describe(path) for path in paths]}, sys.stdout)
