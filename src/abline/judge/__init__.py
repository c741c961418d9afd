"""How good a model is on rows it has not seen, and whether more than a line is needed."""

from abline.judge.compare import Comparison, compare
from abline.judge.folds import ModelScores, cross_validate
from abline.judge.scores import Scores, score_predictions
from abline.judge.select import Fitted, fit_table
from abline.judge.verdict import Verdict, judge

__all__ = [
    "Comparison",
    "Fitted",
    "ModelScores",
    "Scores",
    "Verdict",
    "compare",
    "cross_validate",
    "fit_table",
    "judge",
    "score_predictions",
]
