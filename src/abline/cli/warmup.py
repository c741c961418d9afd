"""``abline warmup``: compile the training kernels, and say where they are kept."""

from __future__ import annotations

from abline.cli.console import Output
from abline.nets.engines.fused import kernel_cache

#: the precisions that kernels have
PRECISIONS = ("float32", "float64")


def run_warmup_command(*, json: bool, quiet: bool, no_color: bool) -> None:
    """Compile what is not compiled yet.

    Parameters
    ----------
    json, quiet, no_color
        The command's arguments.
    """
    output = Output(json=json, quiet=quiet, no_color=no_color)
    missing = [name for name in PRECISIONS if not kernel_cache.is_kept(name)]
    if missing:
        output.say(f"Compiling the training kernels for {' and '.join(missing)} …")

        from abline.nets.engines.fused.warmup import warm_up

        for name in missing:
            warm_up(name)
    kept = [name for name in PRECISIONS if kernel_cache.is_kept(name)]
    folder = kernel_cache.cache_folder()
    if kept == list(PRECISIONS):
        output.show(f"The training kernels are compiled, in {folder}")
    else:
        output.show(
            f"The training kernels were compiled, but {folder} cannot be written to: set "
            "NUMBA_CACHE_DIR to a folder that can"
        )
    if json:
        output.emit(
            "abline.warmup/1",
            {"compiled": missing, "kept": kept, "folder": str(folder)},
        )
