"""Explains by xplique, in an environment of its own, whenever it is asked.

    E/bin/python -m tools.benchmarks.xplique_maps SIDE IMAGES OCCLUDED

Each line of the standard input names a method, and its answer is a line with the
seconds that one call took: "Grad-CAM" and "saliency" of a batch of IMAGES, "occlusion"
of OCCLUDED ones. The model is Keras' DenseNet121 of random weights, as in
`explanations`, which starts this. Imports nothing of the project.
"""

import sys
import time

LABELS = 20


def _explainers(side, images, occluded):
    import keras
    import numpy as np
    from xplique import attributions

    model = keras.applications.DenseNet121(
        weights=None,
        input_shape=(side, side, 3),
        classes=LABELS,
        classifier_activation=None,
    )
    pixels = np.random.default_rng(0).random((images, side, side, 3), np.float32)
    targets = np.eye(LABELS, dtype=np.float32)[np.arange(images) % LABELS]
    patch = side // 4
    cam = attributions.GradCAM(model, conv_layer="relu", batch_size=images)
    saliency = attributions.Saliency(model, batch_size=images)
    occlusion = attributions.Occlusion(
        model, patch_size=patch, patch_stride=patch // 2, batch_size=128
    )
    return {
        "Grad-CAM": lambda: cam(pixels, targets),
        "saliency": lambda: saliency(pixels, targets),
        "occlusion": lambda: occlusion(pixels[:occluded], targets[:occluded]),
    }


def _main(side, images, occluded):
    explainers = _explainers(side, images, occluded)
    for line in sys.stdin:
        began = time.perf_counter()
        # a call may return before its work is done; bringing the maps here waits for it
        explainers[line.strip()]().numpy()
        print(time.perf_counter() - began, flush=True)


if __name__ == "__main__":
    _main(*map(int, sys.argv[1:]))
