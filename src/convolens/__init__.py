"""Convolens: see, train and trust convolutional image classifiers, on an ordinary computer.

The public names are loaded on first use, so ``import convolens`` costs next to nothing.

>>> import convolens as cl
>>> cl.load_image("china").shape
(427, 640, 3)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# name -> module that defines it. `kernels` and `recipes` are modules themselves.
_PUBLIC = {
    # See
    "load_image": "convolens.images",
    "inspect_image": "convolens.images",
    "to_float": "convolens.images",
    "crop": "convolens.images",
    "conv2d": "convolens.ops",
    "depthwise_conv2d": "convolens.ops",
    "max_pool2d": "convolens.ops",
    "avg_pool2d": "convolens.ops",
    "depthwise_max_pool": "convolens.ops",
    "Conv2D": "convolens.ops",
    "trace_conv2d": "convolens.ops",
    "trace_pool2d": "convolens.ops",
    "kernels": "convolens.ops.kernels",
    "plot_image": "convolens.plotting",
    "plot_images": "convolens.plotting",
    "plot_grid": "convolens.plotting",
    "plot_crop": "convolens.plotting",
    "plot_feature_maps": "convolens.plotting",
    "plot_filters": "convolens.plotting",
    "plot_pooling": "convolens.plotting",
    "plot_trace": "convolens.plotting",
    "plot_predictions": "convolens.plotting",
    "plot_learning_curves": "convolens.plotting",
    "plot_confusion_matrix": "convolens.plotting",
    "plot_explanation": "convolens.plotting",
    "plot_value_trace": "convolens.plotting",
    "plot_receptive_field": "convolens.plotting",
    "plot_neighbours": "convolens.plotting",
    "save_figure": "convolens.plotting",
    # Train
    "load_data": "convolens.data",
    "check_data": "convolens.data",
    "recipes": "convolens.recipes",
    "train": "convolens.recipes",
    "resume": "convolens.recipes",
    "load_run": "convolens.training",
    "tune": "convolens.experiments",
    # Trust and use
    "load_model": "convolens.bundle",
    "evaluate": "convolens.evaluation",
    "cross_validate": "convolens.experiments",
    "repeat_training": "convolens.experiments",
    "compare": "convolens.experiments",
    "summarise": "convolens.zoo",
    "layer_filters": "convolens.explain",
    "feature_maps": "convolens.explain",
    "trace_value": "convolens.explain",
    "receptive_field": "convolens.explain",
    "activation_statistics": "convolens.explain",
    "explain_picture": "convolens.explain",
    "grad_cam": "convolens.explain",
    "layer_cam": "convolens.explain",
    "integrated_gradients": "convolens.explain",
    "occlusion": "convolens.explain",
    "deletion_insertion": "convolens.explain",
    "sanity_check": "convolens.explain",
    "nearest_pictures": "convolens.explain",
}

__all__ = ["__version__", *_PUBLIC]  # noqa: PLE0604  # pyright: ignore[reportUnsupportedDunderAll]

if TYPE_CHECKING:
    from convolens import recipes as recipes
    from convolens.bundle import load_model as load_model
    from convolens.data import check_data as check_data
    from convolens.data import load_data as load_data
    from convolens.evaluation import evaluate as evaluate
    from convolens.experiments import compare as compare
    from convolens.experiments import cross_validate as cross_validate
    from convolens.experiments import repeat_training as repeat_training
    from convolens.experiments import tune as tune
    from convolens.explain import activation_statistics as activation_statistics
    from convolens.explain import deletion_insertion as deletion_insertion
    from convolens.explain import explain_picture as explain_picture
    from convolens.explain import feature_maps as feature_maps
    from convolens.explain import grad_cam as grad_cam
    from convolens.explain import integrated_gradients as integrated_gradients
    from convolens.explain import layer_cam as layer_cam
    from convolens.explain import layer_filters as layer_filters
    from convolens.explain import nearest_pictures as nearest_pictures
    from convolens.explain import occlusion as occlusion
    from convolens.explain import receptive_field as receptive_field
    from convolens.explain import sanity_check as sanity_check
    from convolens.explain import trace_value as trace_value
    from convolens.images import crop as crop
    from convolens.images import inspect_image as inspect_image
    from convolens.images import load_image as load_image
    from convolens.images import to_float as to_float
    from convolens.ops import Conv2D as Conv2D
    from convolens.ops import avg_pool2d as avg_pool2d
    from convolens.ops import conv2d as conv2d
    from convolens.ops import depthwise_conv2d as depthwise_conv2d
    from convolens.ops import depthwise_max_pool as depthwise_max_pool
    from convolens.ops import kernels as kernels
    from convolens.ops import max_pool2d as max_pool2d
    from convolens.ops import trace_conv2d as trace_conv2d
    from convolens.ops import trace_pool2d as trace_pool2d
    from convolens.plotting import plot_confusion_matrix as plot_confusion_matrix
    from convolens.plotting import plot_crop as plot_crop
    from convolens.plotting import plot_explanation as plot_explanation
    from convolens.plotting import plot_feature_maps as plot_feature_maps
    from convolens.plotting import plot_filters as plot_filters
    from convolens.plotting import plot_grid as plot_grid
    from convolens.plotting import plot_image as plot_image
    from convolens.plotting import plot_images as plot_images
    from convolens.plotting import plot_learning_curves as plot_learning_curves
    from convolens.plotting import plot_neighbours as plot_neighbours
    from convolens.plotting import plot_pooling as plot_pooling
    from convolens.plotting import plot_predictions as plot_predictions
    from convolens.plotting import plot_receptive_field as plot_receptive_field
    from convolens.plotting import plot_trace as plot_trace
    from convolens.plotting import plot_value_trace as plot_value_trace
    from convolens.plotting import save_figure as save_figure
    from convolens.recipes import resume as resume
    from convolens.recipes import train as train
    from convolens.training import load_run as load_run
    from convolens.zoo import summarise as summarise


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'convolens' has no attribute {name!r}")
    module = import_module(_PUBLIC[name])
    value = module if module.__name__.rpartition(".")[2] == name else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
