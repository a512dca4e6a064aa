#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the tables of this folder that come from scikit-learn (Debian: python3-sklearn).

Usage: python3 data/make_data.py [FOLDER]. Needs no network; the same input gives the same bytes.
"""
import csv
import pathlib
import random
import re
import sys

from sklearn import datasets

SPLIT_SEED = 20241029  # of the stratified halves of iris


def column_name(name):
    return re.sub(r"\W+", "_", name.replace("(cm)", "")).strip("_")


def number(value):
    return repr(int(value)) if value == int(value) else repr(float(value))


def write(path, features, label, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow([*features, label])
        out.writerows([*map(number, x), y] for x, y in rows)


def table(loader, label, names=None, classes=None):
    data = loader()
    names = names or [column_name(name) for name in data.feature_names]
    classes = classes or [str(name) for name in data.target_names]
    return names, label, [(x, classes[y]) for x, y in zip(data.data, data.target)]


def halves(rows):
    """Each class shuffled and cut in two, then both parts shuffled."""
    draw = random.Random(SPLIT_SEED)
    parts = ([], [])
    for name in sorted({y for _, y in rows}):
        members = [row for row in rows if row[1] == name]
        draw.shuffle(members)
        parts[0].extend(members[: len(members) // 2])
        parts[1].extend(members[len(members) // 2 :])
    for part in parts:
        draw.shuffle(part)
    return parts


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    names, label, rows = table(datasets.load_iris, "species")
    train, test = halves(rows)
    write(folder / "iris_train.csv", names, label, train)
    write(folder / "iris_test.csv", names, label, test)
    write(folder / "breast_cancer.csv", *table(datasets.load_breast_cancer, "diagnosis"))
    write(folder / "wine.csv", *table(datasets.load_wine, "cultivar"))
    write(folder / "digits.csv", *table(datasets.load_digits, "digit", classes=list(range(10))))


main()
