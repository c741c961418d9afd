"""Networks of known layers as plain data: the classes by name, their arguments, their weights.

Only the classes in the lists below are ever made, each from arguments of its own; whatever is
not exactly one of them (a subclass, a layer with hooks, a changed ``forward``) is left to
`abline.nets.aten_capture`.
"""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import nn

from abline.errors import ModelFileError
from abline.nets.criteria import GammaLoss, GaussianNLL, PoissonLoss, QuantileLoss
from abline.nets.describe_errors import reading
from abline.nets.describe_tensors import describe_state, fill_state, named_state, restore_state
from abline.nets.ensemble import MLPEnsemble
from abline.nets.modules import MLP

#: arguments with another name than the attribute that tells them
_TOLD_BY = {"bias": lambda module: module.bias is not None}

#: each layer's arguments; all are attributes of the same name, but for ``bias``
LAYERS: dict[str, str] = {
    # containers and shapes
    "Sequential": "",
    "Identity": "",
    "Flatten": "start_dim end_dim",
    "Unflatten": "dim unflattened_size",
    # products
    "Linear": "in_features out_features bias",
    "Bilinear": "in1_features in2_features out_features bias",
    "Embedding": "num_embeddings embedding_dim padding_idx max_norm norm_type scale_grad_by_freq "
    "sparse",
    "Conv1d": "in_channels out_channels kernel_size stride padding dilation groups bias "
    "padding_mode",
    # pooling
    "AdaptiveAvgPool1d": "output_size",
    "AdaptiveMaxPool1d": "output_size return_indices",
    "AvgPool1d": "kernel_size stride padding ceil_mode count_include_pad",
    "MaxPool1d": "kernel_size stride padding dilation return_indices ceil_mode",
    # dropout
    "AlphaDropout": "p inplace",
    "Dropout": "p inplace",
    "Dropout1d": "p inplace",
    "FeatureAlphaDropout": "p inplace",
    # normalisation
    "BatchNorm1d": "num_features eps momentum affine track_running_stats",
    "GroupNorm": "num_groups num_channels eps affine",
    "InstanceNorm1d": "num_features eps momentum affine track_running_stats",
    "LayerNorm": "normalized_shape eps elementwise_affine bias",
    "RMSNorm": "normalized_shape eps elementwise_affine",
    # activations
    "CELU": "alpha inplace",
    "ELU": "alpha inplace",
    "GELU": "approximate",
    "GLU": "dim",
    "Hardshrink": "lambd",
    "Hardsigmoid": "inplace",
    "Hardswish": "inplace",
    "Hardtanh": "min_val max_val inplace",
    "LeakyReLU": "negative_slope inplace",
    "LogSigmoid": "",
    "LogSoftmax": "dim",
    "Mish": "inplace",
    "PReLU": "num_parameters",
    "RReLU": "lower upper inplace",
    "ReLU": "inplace",
    "ReLU6": "inplace",
    "SELU": "inplace",
    "SiLU": "inplace",
    "Sigmoid": "",
    "Softmax": "dim",
    "Softmin": "dim",
    "Softplus": "beta threshold",
    "Softshrink": "lambd",
    "Softsign": "",
    "Tanh": "",
    "Tanhshrink": "",
    "Threshold": "threshold value inplace",
}

#: losses, which have arguments in the same way
LOSSES: dict[str, str] = {
    "GaussianNLLLoss": "full eps reduction",
    "HuberLoss": "reduction delta",
    "L1Loss": "reduction",
    "MSELoss": "reduction",
    "PoissonNLLLoss": "log_input full eps reduction",
    "SmoothL1Loss": "reduction beta",
}

_ARGUMENTS = {name: words.split() for name, words in {**LAYERS, **LOSSES}.items()}

#: abline's own modules, which tell their arguments themselves
OWN: dict[str, type[nn.Module]] = {
    kind.__name__: kind
    for kind in (MLP, MLPEnsemble, GammaLoss, GaussianNLL, PoissonLoss, QuantileLoss)
}

_HOOKS = (
    "_forward_hooks",
    "_forward_pre_hooks",
    "_backward_hooks",
    "_backward_pre_hooks",
    "_state_dict_hooks",
    "_load_state_dict_post_hooks",
)

_PLAIN = (type(None), bool, int, float, str)


def describe_layers(module: nn.Module) -> dict[str, Any] | None:
    """Write a module of known layers as plain data.

    Parameters
    ----------
    module : torch.nn.Module

    Returns
    -------
    dict or None
        For `build_layers`; None if it is not made of known layers alone, in the way that
        their own constructors make it.

    Raises
    ------
    DataError
        If a weight is of a kind that a file cannot hold.

    Examples
    --------
    >>> tree = describe_layers(nn.Sequential(nn.Linear(3, 1, bias=False), nn.Flatten(0)))
    >>> tree["structure"]["children"]["0"]
    {'class': 'Linear', 'arguments': {'in_features': 3, 'out_features': 1, 'bias': False}}
    """
    structure = _structure(module)
    if structure is None:
        return None
    try:
        rebuilt = _make(structure)
    except ModelFileError:  # attributes that were changed to what the constructor refuses
        return None
    if _outline(rebuilt) != _outline(module):
        return None
    return {"structure": structure, "state": describe_state(module)}


def build_layers(tree: dict[str, Any]) -> nn.Module:
    """Make a module from what `describe_layers` gave.

    Parameters
    ----------
    tree : dict

    Returns
    -------
    torch.nn.Module
        On the CPU, in evaluation mode.

    Raises
    ------
    ModelFileError
        If `describe_layers` cannot have given this.
    """
    with reading("its network is malformed"):
        structure, state = tree["structure"], tree["state"]
        module = _make(structure)
        fill_state(module, restore_state(state))
    return module.eval()


def _structure(module: nn.Module) -> dict[str, Any] | None:
    """Describe a module's class, arguments and children, or give None if one is not known."""
    name = type(module).__name__
    if not _is_known(module, name) or not _is_unchanged(module):
        return None
    if name in OWN:
        return {"class": name, "arguments": module.constructor_args()}  # type: ignore[operator]
    arguments = {key: _argument(module, key) for key in _ARGUMENTS[name]}
    if not all(_is_plain(value) for value in arguments.values()):
        return None
    if name != "Sequential":
        return {"class": name, "arguments": arguments}
    children = {
        key: _structure(child) for key, child in module._modules.items() if child is not None
    }
    if len(children) != len(module._modules) or None in children.values():
        return None
    return {"class": name, "arguments": {}, "children": children}


def _is_known(module: nn.Module, name: str) -> bool:
    if name in OWN:
        return type(module) is OWN[name]
    return name in _ARGUMENTS and type(module) is getattr(nn, name)


def _is_unchanged(module: nn.Module) -> bool:
    """Say whether a module does what its class does, and no more."""
    hooked = any(getattr(part, hook, None) for part in module.modules() for hook in _HOOKS)
    return not hooked and all("forward" not in vars(part) for part in module.modules())


def _argument(module: nn.Module, key: str) -> Any:
    value = _TOLD_BY[key](module) if key in _TOLD_BY else getattr(module, key)
    return tuple(value) if isinstance(value, torch.Size) else value


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_plain(item) for item in value)
    return type(value) in _PLAIN


def _outline(module: nn.Module) -> list[tuple[Any, ...]]:
    """List what must be equal for two modules of known layers to compute the same."""
    parts: list[tuple[Any, ...]] = [
        (
            path,
            type(part),
            [_argument(part, key) for key in _ARGUMENTS.get(type(part).__name__, ())],
        )
        for path, part in module.named_modules(remove_duplicate=False)
    ]
    return parts + [(name, role, value.shape) for name, value, role in named_state(module)]


def _make(structure: Any) -> nn.Module:
    """Make a module whose tensors have shapes but no memory, so that no file can ask for much."""
    with (
        reading("its network cannot be built"),
        warnings.catch_warnings(),
        torch.device("meta"),
    ):
        warnings.simplefilter("ignore")  # about layers of width 0
        return _make_part(structure)


def _make_part(structure: dict[str, Any]) -> nn.Module:
    name, arguments = structure["class"], structure["arguments"]
    if name in OWN:
        return OWN[name](**arguments)
    if set(arguments) != set(_ARGUMENTS[name]) or not all(map(_is_plain, arguments.values())):
        raise ValueError(f"{name} does not take {arguments}")
    made: nn.Module = getattr(nn, name)(**arguments)
    for key, child in structure.get("children", {}).items():
        made.add_module(key, _make_part(child))
    return made
