"""Write down what any PyTorch module computes, as a list of PyTorch's own operations.

``torch.export`` runs the module once on rows without numbers and notes every operation; what
it noted is turned into plain data. Then the list runs beside the module on real numbers, and
is kept only if the two agree to the bit for tables of several lengths.
"""

from __future__ import annotations

import contextlib
import copy
import io
import logging
import warnings
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from abline.errors import DataError
from abline.nets.aten_attention import plain_attention
from abline.nets.aten_module import AtenModule
from abline.nets.aten_record import UnwritableError, record
from abline.nets.describe_errors import reading
from abline.nets.describe_tensors import (
    describe_state,
    describe_tensor,
    restore_state,
    same_bits,
)
from abline.nets.devices import cpu_threads
from abline.nets.randomness import borrowed_generator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch.export import ExportedProgram

#: rows of the example; a number that hardly stands in anyone's code, where it would be
#: mistaken for the number of rows
_EXAMPLE_ROWS = 97

#: lengths at which list and module must agree: one row, odd, even, small and large
_LENGTHS = (1, 2, 3, 7, 64, 1000)


def capture(module: nn.Module, n_features: int) -> dict[str, Any]:
    """Write a trained module as plain data, whatever its class and ``forward``.

    Parameters
    ----------
    module : torch.nn.Module
        Trained; neither it nor torch's generators are changed.
    n_features : int
        The width of its rows.

    Returns
    -------
    dict
        For `rebuild`.

    Raises
    ------
    DataError
        If its ``forward`` cannot be written so, with the reason.
    """
    name = type(module).__name__
    try:
        with _undisturbed():
            reference = _copy_on_cpu(module)
            program = _export(_copy_on_cpu(module), n_features)
            tree = _write(program, reference, name)
            _compare(reference, rebuild(tree), n_features)
    except DataError as error:
        raise _refusal(name, str(error)) from error
    except Exception as error:  # a person's forward, and torch.export on it, may raise anything
        raise _refusal(name, _reason(error)) from error
    return tree


def rebuild(tree: dict[str, Any]) -> AtenModule:
    """Make a module from what `capture` gave.

    Parameters
    ----------
    tree : dict

    Returns
    -------
    AtenModule
        On the CPU, in evaluation mode.

    Raises
    ------
    ModelFileError
        If `capture` cannot have given this.
    """
    with reading("its network is malformed"):
        source, nodes, output, state = (tree[key] for key in ("source", "nodes", "output", "state"))
        return AtenModule(str(source), nodes, output, restore_state(state))


def recapture(module: AtenModule) -> dict[str, Any]:
    """Write a module again that came from `rebuild`.

    Parameters
    ----------
    module : AtenModule

    Returns
    -------
    dict
        As `capture` gives it.
    """
    return {**module.recorded(), "state": describe_state(module)}


def _copy_on_cpu(module: nn.Module) -> nn.Module:
    return copy.deepcopy(module).cpu().eval()


def _floating(module: nn.Module) -> torch.dtype:
    dtypes = (parameter.dtype for parameter in module.parameters() if parameter.is_floating_point())
    return next(dtypes, torch.float32)


def _export(module: nn.Module, n_features: int) -> ExportedProgram:
    rows = torch.zeros(_EXAMPLE_ROWS, n_features, dtype=_floating(module), device="cpu")
    options: dict[str, Any] = {"dynamic_shapes": ({0: torch.export.Dim.DYNAMIC},)}
    try:
        return torch.export.export(copy.deepcopy(module), (rows,), strict=False, **options)
    except Exception as first:  # it may raise anything
        # slower, but it reads the forward's code and so follows len(x) or math.sqrt(len(x))
        try:
            return torch.export.export(module, (rows,), strict=True, **options)
        except Exception:
            raise first from None  # whose message is the plainer


def _write(program: ExportedProgram, reference: nn.Module, name: str) -> dict[str, Any]:
    try:
        nodes, output, constants = record(program)
    except UnwritableError:
        # vmap, autocast and the like are gone once they are resolved into what they do
        nodes, output, constants = record(program.run_decompositions({}))
    state = describe_state(reference)
    state += [
        {"name": key, "role": "temporary", **describe_tensor(tensor)}
        for key, tensor in constants.items()
    ]
    return {"source": name, "nodes": nodes, "output": output, "state": state}


def _compare(reference: nn.Module, recorded: nn.Module, n_features: int) -> None:
    """Run both on rows of several lengths and kinds; raise where a bit differs."""
    lengths: set[int] = set()
    refused: Exception | None = None
    for rows in _samples(n_features, _floating(reference)):
        try:
            expected = _run(reference, rows)
        except Exception as error:  # a person's forward may refuse rows, as of negative numbers
            refused = error
            continue
        if not isinstance(expected, Tensor):
            raise UnwritableError(f"it returns a {type(expected).__name__}, not one tensor")
        if not same_bits(expected, _run(recorded, rows)):
            raise UnwritableError(f"for {len(rows)} rows its recording computes something else")
        lengths.add(len(rows))
    if len(lengths) < 2:
        raise UnwritableError("it fails on rows of random numbers and of zeros") from refused


def _samples(n_features: int, dtype: torch.dtype) -> Iterator[Tensor]:
    generator = torch.Generator().manual_seed(0)
    for n_rows in _LENGTHS:
        shape = (n_rows, n_features)
        yield torch.randn(shape, generator=generator, device="cpu").to(dtype)
        yield torch.rand(shape, generator=generator, device="cpu").to(dtype)
        yield torch.zeros(shape, dtype=dtype, device="cpu")


def _run(module: nn.Module, rows: Tensor) -> Any:
    """Run a module as predictions do, its random numbers always the same."""
    torch.default_generator.manual_seed(0)
    with torch.inference_mode():
        return module(rows.clone())


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep what the recording does to the process within the recording."""
    with (
        borrowed_generator(0, torch.device("cpu")),
        cpu_threads(None),
        plain_attention(),
        torch.inference_mode(False),
        torch.enable_grad(),
        torch.autocast("cpu", enabled=False),
        _silence(),
    ):
        yield


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Hold back torch.export's remarks, which are meant for its developers."""
    names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] == "torch"]
    levels = {name: logging.getLogger(name).level for name in names}
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        for name in names:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        try:
            yield
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split("\n")[0].split())
    if isinstance(error, UnwritableError):
        return text
    if "Constraints violated" in text or "specialized" in text:
        return "it takes the number of rows for a fixed number; use x.shape[0] rather than len(x)"
    if "data-dependent" in text:
        return "it branches on the values of its rows; use torch.where rather than if"
    return f"{type(error).__name__}: {text[:200]}"


def _refusal(name: str, reason: str) -> DataError:
    return DataError(
        f"{name}'s forward cannot be written as plain data ({reason}): pickle the estimator, or "
        "save its state_dict, instead"
    )
