"""A state of dictionaries, lists, numbers and tensors as JSON beside named tensors, and back.

Everything comes back as it was, to the bit: JSON writes a float so that reading gives the same one,
tuples stay tuples, the keys of a dictionary stay numbers where they are, and a tensor keeps its
type and its order in memory (a kernel may sum in another order for another layout).
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


def pack(state: Any) -> tuple[Any, dict[str, Tensor]]:
    """Take a state apart.

    Args:
        state: mappings with keys that are texts or whole numbers, lists, tuples, tensors on any
            device, numbers, texts, booleans and None.

    Returns:
        What JSON can hold, and the tensors by the names that it calls them: contiguous, on the CPU,
        sharing no memory with the state.

    >>> packed, tensors = pack({"rates": (0.1, 0.2), 7: torch.zeros(2)})
    >>> packed
    {'dict': [['rates', {'tuple': [0.1, 0.2]}], [7, {'tensor': '7'}]]}
    >>> sorted(tensors)
    ['7']
    """
    tensors: dict[str, Tensor] = {}
    return _pack(state, "", tensors), tensors


def unpack(packed: Any, tensors: Mapping[str, Tensor]) -> Any:
    """Put together what :func:`pack` took apart; the tensors are copies, on the CPU.

    Raises:
        KeyError, TypeError or ValueError: these are not a packed state.

    >>> unpack(*pack([1, (None, 2.5), torch.tensor([True])]))
    [1, (None, 2.5), tensor([True])]
    """
    if not isinstance(packed, dict):
        return packed
    ((kind, content), *rest) = packed.items()
    match kind:
        case "tensor":
            return _as_it_lay(tensors[content], dict(rest).get("stride"))
        case "dict":
            return {key: unpack(value, tensors) for key, value in content}
        case "list":
            return [unpack(value, tensors) for value in content]
        case "tuple":
            return tuple(unpack(value, tensors) for value in content)
        case "float":
            return float(content)
        case _:
            raise ValueError(f"unknown kind of value {kind!r}")


def not_finite(tensors: Mapping[str, Tensor]) -> str | None:
    """The name of a tensor that holds NaN or infinity; None if there is none."""
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            return name
    return None


def _pack(value: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, Tensor):
        assert name not in tensors, f"two tensors are called {name}"
        tensors[name] = value.detach().cpu().clone(memory_format=torch.contiguous_format)
        stride = _own_stride(value)
        return {"tensor": name} if stride is None else {"tensor": name, "stride": stride}
    inner = f"{name}/" if name else ""
    if isinstance(value, Mapping):
        assert all(isinstance(key, str | int) for key in value)
        return {"dict": [[k, _pack(v, f"{inner}{k}", tensors)] for k, v in value.items()]}
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [_pack(v, f"{inner}{i}", tensors) for i, v in enumerate(value)]}
    if isinstance(value, float) and not math.isfinite(value):  # which JSON has no word for
        return {"float": repr(value)}
    assert value is None or isinstance(value, bool | int | float | str), type(value)
    return value


def _own_stride(tensor: Tensor) -> list[int] | None:
    """The strides of a tensor that is dense in memory but in another order than the usual one."""
    stride = tensor.stride()
    dense = torch.empty_like(tensor).stride() == stride  # which is kept for dense tensors alone
    usual = torch.empty(tensor.shape, device="meta").stride()
    return list(stride) if dense and stride != usual else None


def _as_it_lay(tensor: Tensor, stride: list[int] | None) -> Tensor:
    # A copy always: a tensor read from a file may begin at any byte, a new one is aligned.
    if stride is None:
        return tensor.clone()
    return torch.empty_strided(tensor.shape, stride, dtype=tensor.dtype).copy_(tensor)
