"""A training kept in a file, to go on from after a crash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abline.errors import ParameterError
from abline.nets.callbacks.base import Callback
from abline.nets.parameters import check_count
from abline.nets.snapshot import Snapshot
from abline.store import check_writable

if TYPE_CHECKING:
    from pathlib import Path

    from abline.nets.training import TrainingState


class Checkpoint(Callback):
    """Keep the training in a file, from which ``fit(X, y, resume_from=path)`` goes on.

    The file holds the weights, the optimizer's, generators' and callbacks' states and the history,
    under a checksum and without code. It is replaced in one step, so whenever the process ends
    there is a whole one; a training that goes on from it ends in the same weights, bit for bit, as
    one that was never interrupted (on the same machine and version of PyTorch).

    Parameters
    ----------
    path : str or Path
        The file; its folder must exist.
    every : int, default=100
        Epochs from one writing to the next. The first epoch and the last are kept too.

    Raises
    ------
    OutputError
        At the start of the fit: if the file cannot be written there.
    DataError
        After the first epoch: if another callback or the optimizer has a state that such a file
        cannot hold.

    Examples
    --------
    >>> import abline as ab, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "training.checkpoint"
    >>> X, y = [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]
    >>> model = ab.TorchRegressor(max_epochs=20, callbacks=[Checkpoint(path)], random_state=0)
    >>> expected = model.fit(X, y, resume_from=path).predict(X)  # no file there: starts anew
    >>> bool((model.fit(X, y, resume_from=path).predict(X) == expected).all())
    True
    """

    runs_last = True  # the others have changed their states by then

    def __init__(self, path: str | Path, every: int = 100) -> None:
        check_count("every", every)
        self.path = path
        self.every = every

    def on_train_begin(self, state: TrainingState) -> None:
        """Find out whether the file can be written."""
        if state.job is None or state.job.identity is None:
            raise ParameterError(
                "Checkpoint keeps what TorchRegressor's or MLPRegressor's fit can resume, and this "
                "is another training, or partial_fit: leave it out of callbacks"
            )
        check_writable(self.path)

    def on_epoch_end(self, state: TrainingState) -> None:
        """Write the file."""
        assert state.job is not None  # on_train_begin has seen to it
        Snapshot.take(state, state.job).save(self.path)
