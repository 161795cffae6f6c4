"""Convolution and pooling as plain loops in double precision: slow, and obviously right."""

import math

import numpy as np


def sides(size, window, stride, padding, dilation, axis):
    """(before, after), straight from TensorFlow's documentation of "SAME" and "VALID"."""
    if padding == "valid":
        return 0, 0
    if padding == "same":
        effective = (window - 1) * dilation + 1
        outputs = math.ceil(size / stride)
        total = max((outputs - 1) * stride + effective - size, 0)
        return total // 2, total - total // 2
    return (padding, padding) if isinstance(padding, int) else padding[axis]


def windows(images, window, strides, padding, dilations=(1, 1)):
    """Every window's (row, column, row coordinates, column coordinates, padded size)."""
    axes = []
    for axis in (0, 1):
        size = images.shape[1 + axis]
        before, after = sides(size, window[axis], strides[axis], padding, dilations[axis], axis)
        reach = (window[axis] - 1) * dilations[axis] + 1
        starts = range(-before, size + after - reach + 1, strides[axis])
        cells = range(0, reach, dilations[axis])
        axes.append([[start + cell for cell in cells] for start in starts])
    return axes


def pixel(images, n, y, x):
    """The channels of a pixel, or None outside the picture."""
    inside = 0 <= y < images.shape[1] and 0 <= x < images.shape[2]
    return images[n, y, x] if inside else None


def conv2d(images, filters, strides, padding, dilations, groups, bias=None):
    images = images.astype(np.float64)
    kh, kw, share, out_channels = filters.shape
    rows, columns = windows(images, (kh, kw), strides, padding, dilations)
    result = np.zeros((len(images), len(rows), len(columns), out_channels))
    for n, i, j in np.ndindex(result.shape[:3]):
        for k in range(out_channels):
            group = k // (out_channels // groups)
            for a, y in enumerate(rows[i]):
                for b, x in enumerate(columns[j]):
                    seen = pixel(images, n, y, x)
                    if seen is None:
                        continue
                    channels = seen[group * share : (group + 1) * share]
                    for c in range(share):
                        result[n, i, j, k] += float(channels[c]) * float(filters[a, b, c, k])
            result[n, i, j, k] += 0 if bias is None else float(bias[k])
    return result


def depthwise_conv2d(images, filters, strides, padding, dilations):
    channels, multiplier = filters.shape[2:]
    maps = [
        conv2d(
            images[..., c : c + 1], filters[:, :, c : c + 1, m : m + 1],
            strides, padding, dilations, 1,
        )
        for c in range(channels)
        for m in range(multiplier)
    ]  # fmt: skip
    return np.concatenate(maps, axis=3)


def pool2d(images, mode, pool_size, strides, padding, *, count_padding=False):
    rows, columns = windows(images, pool_size, strides, padding)
    dtype = images.dtype if mode == "max" else np.float64
    result = np.zeros((len(images), len(rows), len(columns), images.shape[3]), dtype)
    for n, i, j, c in np.ndindex(result.shape):
        seen = [pixel(images, n, y, x) for y in rows[i] for x in columns[j]]
        values = [channels[c] for channels in seen if channels is not None]
        if mode == "max":
            result[n, i, j, c] = max(values)
        else:
            count = len(seen) if count_padding else len(values)
            result[n, i, j, c] = math.fsum(float(value) for value in values) / count
    return result
