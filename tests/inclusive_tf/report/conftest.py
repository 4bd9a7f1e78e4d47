"""A made-up run with the shape of a real one: 15 labels, 7 rows, 2 groups, 2 stages."""

import io
import types

import matplotlib
import numpy as np
import pytest
from PIL import Image, ImageDraw

LABELS = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker",
    "Bag", "Ankle boot", "Topwear", "Bottomwear", "One-piece", "Footwear",
    "Accessories",
)  # fmt: skip
ROWS = {
    "constant answer": (0.31, 0.12, 0.00),
    "plain": (0.412, 0.301, 0.071),
    "plain + threshold": (0.498, 0.362, 0.182),
    "plain + last layer + threshold": (0.561, 0.441, 0.339),
    "resampled": (0.487, 0.431, 0.402),
    "resampled + threshold": (0.522, 0.449, 0.447),
    "resampled + last layer + threshold": (0.634, 0.548, 0.561),
}
STEPS = (
    ("plain", "plain + threshold"),
    ("plain + threshold", "plain + last layer + threshold"),
    ("plain", "resampled"),
    ("resampled", "resampled + threshold"),
    ("resampled + threshold", "resampled + last layer + threshold"),
    ("plain + last layer + threshold", "resampled + last layer + threshold"),
    ("plain", "resampled + last layer + threshold"),
)
WHYS = ("highest loss", "most confident wrong", "rare label missed")
GROUPS = {"target/studio": 3100, "target/street": 1900}
BANDS = {"head": LABELS[10:], "middle": LABELS[:5], "tail": LABELS[5:10]}
COUNTS = dict(
    zip(
        LABELS,
        (6000, 3597, 2156, 1293, 775, 465, 278, 167, 100, 60,
         8300, 3597, 1293, 690, 100),
        strict=True,
    )
)  # fmt: skip


def _interval(value, spread, n):
    value = float(np.clip(value, 0, 1))
    low, high = max(value - spread, 0), min(value + spread * 1.07, 1)
    return {"value": value, "low": low, "high": high, "n": n}


def _figures(mean, macro, tail, seed):
    random = np.random.default_rng(seed)
    n = sum(GROUPS.values())
    classes = []
    for label, trained in COUNTS.items():
        centre = macro + 0.09 * np.log10(trained / 600) + random.normal(0, 0.06)
        support = int(random.integers(180, 1400))
        classes.append(
            {
                "id": f"id-{label}",
                "name": label,
                "training_count": trained,
                "n": support,
            }
            | {
                key: _interval(centre + random.normal(0, 0.05), 0.03, support)
                for key in ("precision", "recall", "f1", "f2")
            }
        )
    recalls = {"head": mean + 0.2, "middle": macro + 0.05, "tail": tail}
    measures = {
        "mean_f2": _interval(mean, 0.011, n),
        "macro_f2": _interval(macro, 0.014, n),
        "head_recall": _interval(recalls["head"], 0.012, n),
        "middle_recall": _interval(recalls["middle"], 0.02, n),
        "tail_recall": _interval(tail, 0.021, n),
        "worst_group_f2": _interval(mean - 0.061, 0.017, GROUPS["target/street"]),
    }
    return {
        "n": n,
        "measures": measures,
        "worst_group": "target/street",
        "groups": [
            {"name": name, "n": size, "mean_f2": _interval(mean + shift, 0.016, size)}
            for (name, size), shift in zip(GROUPS.items(), (0.04, -0.061), strict=True)
        ]
        + [
            {
                "name": "source/street",
                "n": 0,
                "mean_f2": {"value": None, "low": None, "high": None, "n": 0},
            }
        ],
        "bands": [
            {
                "name": name,
                "labels": list(names),
                "recall": _interval(recalls[name], 0.02, n),
                "f2": _interval(recalls[name] - 0.04, 0.02, n),
            }
            for name, names in BANDS.items()
        ],
        "classes": classes,
    }


def _comparison(before, after):
    measures = {}
    for key, new in after["measures"].items():
        old = before["measures"][key]
        difference = new["value"] - old["value"]
        spread = 0.012 if key == "mean_f2" else 0.031
        measures[key] = {
            "difference": difference,
            "low": difference - spread,
            "high": difference + spread,
            "n": new["n"],
        }
    return {"measures": measures}


def _kind(name):
    run, *parts = name.split(" + ")
    if run == "constant answer":
        return {"kind": "constant"}
    return {"kind": "model", "run": run, "parts": parts}


def make_results():
    """Returns a results JSON as a dict."""
    rows = [
        {
            "name": name,
            **_kind(name),
            "evaluations": {
                "stage_1": _figures(mean + 0.008, macro - 0.004, tail, number),
                "stage_2": _figures(mean, macro, tail, number + 50),
            },
        }
        for number, (name, (mean, macro, tail)) in enumerate(ROWS.items())
    ]
    lookup = {row["name"]: row["evaluations"] for row in rows}
    steps = [
        {
            "name": f"{before} → {after}",
            "before": before,
            "after": after,
            "comparisons": {
                stage: _comparison(lookup[before][stage], lookup[after][stage])
                for stage in ("stage_1", "stage_2")
            },
        }
        for before, after in STEPS
    ]
    # one step that hurts one measure and one that changes nothing for certain
    steps[3]["comparisons"]["stage_2"]["measures"]["mean_f2"] |= {
        "difference": 0.004, "low": -0.006, "high": 0.013,
    }  # fmt: skip
    steps[3]["comparisons"]["stage_2"]["measures"]["tail_recall"] |= {
        "difference": -0.058, "low": -0.091, "high": -0.021,
    }  # fmt: skip
    return {
        "title": "Fashion-MNIST in two induced regions",
        "induced": True,
        "rows": rows,
        "steps": steps,
        "exposure": {
            "rows": [
                {"id": f"id-{name}", "name": name, "count": count,
                 "before": float(count), "after": 400 + 4 * count**0.7}
                for name, count in COUNTS.items()
            ],
            "yield": 0.0713,
            "effective_sample_size": 4312.4,
            "policy": "inverse frequency, tempered 0.5",
            "cannot": ["Ankle boot: 60 images cannot be shown more than 8 times"],
        },
        "data": {
            "counts": {
                "train": {"images": 9621,
                          "groups": {"source/studio": 9101, "source/street": 520}},
                "validation": {"images": 1200,
                               "groups": {"source/studio": 1130, "source/street": 70}},
                "tuning": {"images": 1000,
                           "groups": {"target/studio": 620, "target/street": 380}},
                "stage_1": {"images": 5000, "groups": GROUPS},
                "stage_2": {"images": 5000, "groups": GROUPS},
            },
            "notes": [
                "Source region: a long tail over garments, the commonest 100 times as "
                "common as the rarest.",
                "Target region: another mix of garments and a dim, slightly blurred "
                "camera.",
                "Each region has two places, studio and street; streets are rare in "
                "the source and common in the target.",
            ],
        },
        "runs": {
            "plain": {"seconds": 143.21, "steps": 1500, "validation_mean_f2": 0.7714,
                      "images_per_second": 812.4},
            "resampled": {"seconds": 148.9, "steps": 1500, "validation_mean_f2": 0.7532,
                          "images_per_second": 790.1},
        },
        "explanations": {
            "row": "resampled + last layer + threshold",
            "split": "stage_2",
            "given_from": 0.12,
            "pointing": [
                {"method": method, "hits": _interval(hits, 0.04, 400), "baseline": 0.5,
                 "degenerate": 2}
                for method, hits in (
                    ("Grad-CAM", 0.81), ("saliency", 0.74), ("occlusion", 0.86))
            ],
            "energy": [
                {"method": "Grad-CAM", "hits": _interval(0.69, 0.02, 398),
                 "baseline": 0.5, "degenerate": 2},
            ],
        },
        "flags": {"model": "densenet_small", "batch_size": 64, "learning_rate": 1e-3,
                  "policy": "inverse_frequency", "mixed_precision": False},
        "seed": 7,
    }  # fmt: skip


def png(array):
    """Returns a uint8 array, or a Pillow image, as PNG bytes."""
    buffer = io.BytesIO()
    image = array if isinstance(array, Image.Image) else Image.fromarray(array)
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _garments():
    image = Image.new("L", (224, 112), 24)
    draw = ImageDraw.Draw(image)
    draw.polygon([(20, 22), (44, 14), (68, 14), (92, 22), (98, 52), (80, 54), (78, 100),
                  (34, 100), (32, 54), (14, 52)], fill=170)  # fmt: skip
    draw.polygon([(126, 76), (160, 60), (182, 34), (206, 40), (208, 84), (126, 88)],
                 fill=205)  # fmt: skip
    noise = np.random.default_rng(3).normal(0, 9, (112, 224))
    return np.clip(np.asarray(image, np.float32) + noise, 0, 255).astype(np.uint8)


def _map(image, centre, spread, name):
    rows, columns = np.mgrid[:112, :224]
    distance = (rows - 60) ** 2 + (columns - centre) ** 2
    heat = np.exp(-distance / spread**2)
    colours = matplotlib.colormaps[name](heat)[..., :3]
    mixed = 0.5 * image[..., None] / 255 + 0.5 * colours
    return png((mixed * 255).astype(np.uint8))


def make_cases(count=3):
    """Returns `count` explained errors."""
    image = _garments()
    methods = (("Grad-CAM", 40, "inferno"), ("saliency", 18, "inferno"),
               ("occlusion", 30, "magma"))  # fmt: skip
    cases = []
    for number in range(count):
        panels = [
            {
                "label": label,
                "role": role,
                "maps": [
                    {"method": method, "png": _map(image, centre, spread, name),
                     "degenerate": number == 1 and method == "Grad-CAM"}
                    for method, spread, name in methods
                ],
            }
            for label, role, centre in (
                ("Sneaker", "wrongly given", 170), ("Ankle boot", "missed", 190))
        ]  # fmt: skip
        cases.append({
            "id": f"stage_2-{4107 - 31 * number:05d}",
            "split": "stage_2",
            "group": "target/street",
            "image_png": png(image),
            "why": WHYS[number % 3],
            "truth": ["T-shirt/top", "Topwear", "Ankle boot", "Footwear"],
            "decided": ["Sneaker", "Footwear", "Topwear"] if number != 2 else [],
            "loss": 1.842 - 0.1 * number,
            "scores": [
                {"name": "Footwear", "probability": 0.991},
                {"name": "Sneaker", "probability": 0.874},
                {"name": "Topwear", "probability": 0.702},
                {"name": "Shirt", "probability": 0.211},
                {"name": "Ankle boot", "probability": 0.043},
            ],
            "panels": panels if number != 2 else panels[1:],
        })  # fmt: skip
    return cases


@pytest.fixture(scope="session")
def make():
    """The builders, for tests that share what they build."""
    return types.SimpleNamespace(results=make_results, cases=make_cases, png=png)


@pytest.fixture
def results():
    return make_results()


@pytest.fixture
def cases():
    return make_cases()
