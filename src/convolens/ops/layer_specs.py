"""A layer described by what its arithmetic needs: no weights, no framework."""

from dataclasses import dataclass

from convolens.config import choose
from convolens.errors import ConfigError
from convolens.ops.padding import Padding, Size, padding_of, pair, whole_number

# kind -> the fields, beside name and kind, that it reads
KINDS: dict[str, tuple[str, ...]] = {
    "conv": ("kernel_size", "strides", "padding", "dilations", "filters", "groups", "bias"),
    "depthwise_conv": ("kernel_size", "strides", "padding", "dilations", "filters", "bias"),
    "max_pool": ("kernel_size", "strides", "padding"),
    "avg_pool": ("kernel_size", "strides", "padding"),
    "global_pool": (),
    "space_to_depth": ("kernel_size",),
    "flatten": (),
    "dense": ("units", "bias"),
    "batch_norm": (),
    "activation": (),
    "dropout": (),
}
POOLS = ("max_pool", "avg_pool")


@dataclass(frozen=True, kw_only=True)
class LayerSpec:
    """One layer of a stack.

    Raises:
        ConfigError: an unknown kind, a field out of range, or one that the kind needs is missing.

    >>> LayerSpec(name="first", kind="conv", kernel_size=7, filters=64, padding="same").window
    (7, 7)
    """

    name: str
    """What the layer is called in the summary."""
    kind: str
    """One of conv, depthwise_conv, max_pool, avg_pool, global_pool, space_to_depth, flatten, dense,
    batch_norm, activation, dropout."""
    kernel_size: Size = 1
    """Window of a convolution or pooling; the block of space_to_depth."""
    strides: Size | None = None
    """Step between windows; if None, 1 for convolutions and the window's size for pooling."""
    padding: Padding = "valid"
    """As for ``conv2d``."""
    dilations: Size = 1
    """Pixels between two cells of the window."""
    filters: int | None = None
    """Feature maps of a conv; of a depthwise_conv, feature maps for each channel (1 if None)."""
    units: int | None = None
    """Outputs of a dense layer."""
    groups: int = 1
    """Groups of a conv."""
    bias: bool = True
    """Whether a convolution or a dense layer has a bias."""

    def __post_init__(self) -> None:
        choose("kind of layer", self.kind, KINDS)
        try:
            self._check()
        except ConfigError as error:
            raise ConfigError(f"layer {self.name!r}: {error}") from None

    @property
    def window(self) -> tuple[int, int]:
        """(height, width) of the window."""
        return pair("kernel_size", self.kernel_size)

    @property
    def steps(self) -> tuple[int, int]:
        """(vertical, horizontal) step between windows."""
        if self.kind == "space_to_depth" or (self.kind in POOLS and self.strides is None):
            return self.window
        return (1, 1) if self.strides is None else pair("strides", self.strides)

    def _check(self) -> None:
        _ = self.window, self.steps, pair("dilations", self.dilations), padding_of(self.padding)
        whole_number("groups", self.groups)
        if self.kind == "conv" or self.filters is not None:
            whole_number("filters", self.filters)
        if self.kind == "dense" or self.units is not None:
            whole_number("units", self.units)
        for field, default in (("dilations", 1), ("filters", None), ("units", None), ("groups", 1)):
            if field not in KINDS[self.kind] and getattr(self, field) != default:
                raise ConfigError(f"a {self.kind} layer takes no {field}")
