"""What happens beside the training: logs, stopping, learning rates, checkpoints.

A callback is a small object with the hooks it needs and no others. A fit works on shallow
copies of the callbacks it is given, so they can be shared between estimators; start afresh in
``on_train_begin``.
"""

from abline.nets.callbacks.base import HOOKS, Callback
from abline.nets.callbacks.calls import due_hooks, epochs_until_due, hooks_of
from abline.nets.callbacks.checkpoint import Checkpoint
from abline.nets.callbacks.checks import check_callbacks
from abline.nets.callbacks.early_stopping import EarlyStopping
from abline.nets.callbacks.lr_scheduler import LRScheduler
from abline.nets.callbacks.print_log import NOT_METRICS, PrintLog
from abline.nets.callbacks.progress_bar import ProgressBar

__all__ = [
    "HOOKS",
    "NOT_METRICS",
    "Callback",
    "Checkpoint",
    "EarlyStopping",
    "LRScheduler",
    "PrintLog",
    "ProgressBar",
    "check_callbacks",
    "due_hooks",
    "epochs_until_due",
    "hooks_of",
]
