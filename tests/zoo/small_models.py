"""Each architecture as small as it goes, for tests that run or train it."""

from typing import Any

SMALL: dict[str, dict[str, Any]] = {
    "lenet5": {},
    "vgg11": {"width": 8},
    "vgg16": {"width": 4, "normalised": False, "hidden": 16},
    "resnet20": {"width": 4},
    "resnet18": {"width": 4},
    "wide_resnet": {"depth": 10, "width": 1},
    "densenet": {"depth": 10, "growth": 4},
    "mobilenet_v2": {"width": 0.1},
    "convnext": {"width": 8, "depths": [1, 1, 2, 1]},
}
