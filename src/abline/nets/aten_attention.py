"""One way of computing attention, whether gradients are kept or not."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator


_LOCK = threading.Lock()
_setting = {"bodies": 0, "before": True}


@contextmanager
def plain_attention() -> Iterator[None]:
    """Let PyTorch's attention layers run as written, not as one fused operation.

    In evaluation without gradients ``torch.nn.TransformerEncoder`` and its parts switch to a
    fused operation whose last digits differ. A recorded network consists of the plain
    operations, so predictions use them too and are the same before and after saving.

    The setting belongs to the whole process: where several threads are inside at once, the
    last to leave restores it.

    Examples
    --------
    >>> with plain_attention():
    ...     torch.backends.mha.get_fastpath_enabled()
    False
    """
    with _LOCK:
        if _setting["bodies"] == 0:
            _setting["before"] = torch.backends.mha.get_fastpath_enabled()
            torch.backends.mha.set_fastpath_enabled(False)
        _setting["bodies"] += 1
    try:
        yield
    finally:
        with _LOCK:
            _setting["bodies"] -= 1
            if _setting["bodies"] == 0:
                torch.backends.mha.set_fastpath_enabled(bool(_setting["before"]))
