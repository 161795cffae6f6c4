"""Reading any picture safely, and the plain arithmetic of pixels.

Every picture enters the package through :func:`load_image` and is from there on a ``uint8`` array
of shape (height, width, channels), grey or RGB. Nothing here needs torch.
"""

from convolens.images.cropping import crop
from convolens.images.facts import ImageFacts
from convolens.images.fitting import FIT_POLICIES, fit_image
from convolens.images.limits import DEFAULT_LIMITS, ImageLimits
from convolens.images.reading import ImageSource, describe_image, describe_source, load_image
from convolens.images.samples import SAMPLE_NAMES, load_sample
from convolens.images.scaling import to_float, to_uint8
from convolens.images.statistics import PixelStatistics, inspect_image

__all__ = [
    "DEFAULT_LIMITS",
    "FIT_POLICIES",
    "SAMPLE_NAMES",
    "ImageFacts",
    "ImageLimits",
    "ImageSource",
    "PixelStatistics",
    "crop",
    "describe_image",
    "describe_source",
    "fit_image",
    "inspect_image",
    "load_image",
    "load_sample",
    "to_float",
    "to_uint8",
]
