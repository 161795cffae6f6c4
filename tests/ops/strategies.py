"""Random settings of convolution and pooling, only such as are possible."""

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

REAL_DTYPES = [
    "bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64",
    "float16", "float32", "float64",
]  # fmt: skip

pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


@st.composite
def pictures(draw, channels=None, dtype=None, largest=7):
    """(n, height, width, channels) of any real dtype."""
    shape = (
        draw(st.integers(1, 2)),
        draw(st.integers(1, largest)),
        draw(st.integers(1, largest)),
        draw(st.integers(1, 4)) if channels is None else channels,
    )
    dtype = np.dtype(dtype or draw(st.sampled_from(REAL_DTYPES)))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    if dtype.kind == "b":
        return generator.random(shape) < 0.5
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return generator.integers(limits.min, limits.max, shape, dtype, endpoint=True)
    return generator.normal(size=shape).astype(dtype)


@st.composite
def paddings(draw, window, *, below_window=False):
    limits = [size - 1 if below_window else 4 for size in window]
    return draw(
        st.one_of(
            st.sampled_from(["valid", "same"]),
            st.integers(0, min(limits)),
            st.tuples(*(st.tuples(*[st.integers(0, limit)] * 2) for limit in limits)),
        )
    )


def fits(images, window, padding, dilations=(1, 1)):
    """Whether at least one window fits."""
    if padding == "same":
        return True
    if padding == "valid":
        padding = 0
    added = [2 * padding] * 2 if isinstance(padding, int) else [sum(side) for side in padding]
    return all(
        images.shape[1 + axis] + added[axis] >= (window[axis] - 1) * dilations[axis] + 1
        for axis in (0, 1)
    )


def scale_of(images, filters=None):
    """Bound of every value that ``images`` can give: what a rounding error is relative to."""
    largest = max(float(np.abs(images.astype(np.float64)).max()), 1.0)
    if filters is None:
        return largest
    return largest * max(float(np.abs(filters).sum(axis=(0, 1, 2)).max()), 1.0)


@st.composite
def convolutions(draw, dtype=None):
    """Keyword arguments of ``conv2d``, images and filters among them."""
    groups, share = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    images = draw(pictures(channels=groups * share, dtype=dtype))
    window, dilations = draw(pairs), draw(pairs)
    padding = draw(paddings(window))
    assume(fits(images, window, padding, dilations))
    out_channels = groups * draw(st.integers(1, 2))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    filters = generator.normal(size=(*window, share, out_channels))
    filter_dtype = dtype or draw(st.sampled_from(["float32", "float64"]))
    return {
        "images": images,
        "filters": filters.astype(filter_dtype),
        "strides": draw(pairs),
        "padding": padding,
        "dilations": dilations,
        "groups": groups,
        "bias": generator.normal(size=out_channels) if draw(st.booleans()) else None,
    }


@st.composite
def poolings(draw, dtype=None):
    """Keyword arguments of a pooling, images among them."""
    images, pool_size = draw(pictures(dtype=dtype)), draw(pairs)
    padding = draw(paddings(pool_size, below_window=True))
    assume(fits(images, pool_size, padding))
    return {
        "images": images,
        "pool_size": pool_size,
        "strides": draw(pairs),
        "padding": padding,
    }
