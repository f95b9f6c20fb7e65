"""Writes detection.json: mean average precision and recall of boxes as pycocotools computes them, on random scenes.

Run: python -m venv venv && venv/bin/pip install numpy pycocotools==2.0.11 && venv/bin/python test/golden/make-detection.py
"""

import contextlib
import io
import json
import pathlib

import numpy as np
import pycocotools
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

random = np.random.default_rng(9)
names = ["map", "map50", "map75", "mapSmall", "mapMedium", "mapLarge", "mar1", "mar10", "mar100", "marSmall", "marMedium", "marLarge"]


def scene(name, images, classes, *, objects, clutter, crowds=0.0, ties=False, areas=False, exact=False, sizes=(8, 160)):
    """Objects of all sizes, detections that are shifted from them, and others that are nowhere."""
    truths, found = [], []
    for image in range(1, images + 1):
        for _ in range(objects if exact else random.integers(0, objects + 1)):
            width, height = np.exp(random.uniform(*np.log(sizes), 2)).round(1)
            x, y = random.uniform(0, 400, 2).round(1)
            category = int(random.integers(0, classes))
            area = round(width * height * (random.uniform(0.4, 0.9) if areas else 1), 3)
            crowd = int(random.uniform() < crowds)
            truths.append({"image": image, "class": category, "box": [x, y, width, height], "area": area, "crowd": crowd})
            for _ in range(random.integers(0, 4) if not crowd else random.integers(0, 6)):
                shift = random.normal(0, 0.08, 4) * [width, height, width, height]
                box = (np.array([x, y, width, height]) + shift).round(1)
                box[2:] = np.maximum(box[2:], 1)
                label = category if random.uniform() < 0.85 else int(random.integers(0, classes))
                found.append({"image": image, "class": label, "box": box.tolist(), "score": random.uniform()})
        for _ in range(random.integers(0, clutter + 1)):
            box = [*random.uniform(0, 400, 2).round(1), *np.exp(random.uniform(*np.log(sizes), 2)).round(1)]
            found.append({"image": image, "class": int(random.integers(0, classes)), "box": [float(v) for v in box], "score": random.uniform() * 0.8})
    for item in found:
        item["score"] = round(item["score"], 1 if ties else 6)
    return name, truths, found


def coco(truths, found, classes):
    images = sorted({item["image"] for item in truths + found})
    data = {"images": [{"id": i} for i in images], "categories": [{"id": c + 1} for c in range(classes)], "info": {}}
    data["annotations"] = [
        {"id": i + 1, "image_id": t["image"], "category_id": t["class"] + 1, "bbox": t["box"], "area": t["area"], "iscrowd": t["crowd"]}
        for i, t in enumerate(truths)
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = data
        truth.createIndex()
        results = truth.loadRes(
            [{"image_id": f["image"], "category_id": f["class"] + 1, "bbox": f["box"], "score": f["score"]} for f in found]
        )
        evaluation = COCOeval(truth, results, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    figures = {name: None if value < 0 else float(value) for name, value in zip(names, evaluation.stats)}
    precision = evaluation.eval["precision"][:, :, :, 0, 2]  # thresholds, recalls, classes
    by_class = {c: float(precision[:, :, c].mean()) for c in range(classes) if (precision[:, :, c] > -1).any()}
    return figures, by_class


cases = []
for (name, truths, found), classes in [
    (scene("all sizes, several classes", 30, 4, objects=6, clutter=4), 4),
    (scene("one class, many detections", 12, 1, objects=12, clutter=150), 1),
    (scene("crowds, and areas of their own", 25, 3, objects=6, clutter=3, crowds=0.3, areas=True), 3),
    (scene("ties of scores", 10, 2, objects=5, clutter=5, ties=True), 2),
    (scene("small boxes only", 15, 2, objects=4, clutter=2, sizes=(4, 28)), 2),
    (scene("a hundred of a class, recalls on thresholds", 25, 1, objects=4, clutter=0, exact=True), 1),
]:
    figures, by_class = coco(truths, found, classes)
    cases.append({"name": name, "truths": truths, "found": found, "figures": figures, "classes": by_class})

path = pathlib.Path(__file__).parent / "detection.json"
path.write_text(json.dumps({"pycocotools": getattr(pycocotools, "__version__", "2.0"), "cases": cases}) + "\n")
