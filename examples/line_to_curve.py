"""A line found twice, then a curve that needs a network.

    python examples/line_to_curve.py [FOLDER] [--epochs 10000]

writes its pictures to FOLDER (by default a new temporary one) and says where they are.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import make_regression
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import train_test_split
from torch import nn

import abline as ab


def main(folder: Path, epochs: int) -> None:
    # 1. Make the data: 1,200 points around a line, in the 32-bit numbers that networks use.
    X, y = make_regression(n_samples=1200, n_features=1, bias=3.0, noise=2, random_state=42)
    X, y = X.astype(np.float32), y.astype(np.float32)
    X_train, X_val, y_train, y_val = train_test_split(
        X[:1000], y[:1000], test_size=0.2, random_state=42
    )
    X_test, y_test = X[1000:], y[1000:]

    # 2. The baseline: least squares, exact and at once.
    line = ab.LinearRegression().fit(X_train, y_train)
    print(f"closed form: slope {line.coef_[0]:.4f}, intercept {line.intercept_:.4f}")
    report(line, X_test, y_test)

    # 3. The same line as one layer of PyTorch, trained by gradient descent. Any nn.Module will
    #    do, or, as here, something that makes one; random_state gives the same start each time.
    model = ab.TorchRegressor(
        lambda: nn.Linear(1, 1), max_epochs=epochs, lr=1e-3, verbose=1000, random_state=42
    )
    model.fit(X_train, y_train, eval_set=(X_val, y_val))

    # 4. What it learnt: module_ is an ordinary module.
    print(model.module_.state_dict())

    # 5. Predict and score on rows that no fit has seen.
    print("first predictions:", model.predict(X_test[:3]))
    report(model, X_test, y_test)

    # 6. Look: the losses over the epochs, and the line through the data. Without ax= both
    #    open a figure of pyplot's.
    losses = ab.LossDisplay.from_estimator(model, ax=axes())
    losses.figure_.savefig(folder / "line_losses.png", dpi=150)
    fit = ab.FitDisplay.from_estimator(model, X, y, name="trained line", ax=axes())
    fit.figure_.savefig(folder / "line.png", dpi=150)

    # 7. A curve over the same X: the best of all lines has little to say about it ...
    curve = np.sin(2 * X[:, 0]) + np.random.RandomState(42).normal(scale=0.1, size=1200)
    curve = curve.astype(np.float32)
    y_train, y_val = train_test_split(curve[:1000], test_size=0.2, random_state=42)
    y_test = curve[1000:]
    line = ab.LinearRegression().fit(X_train, y_train)
    report(line, X_test, y_test)

    # 8. ... and a small network follows it: three hidden layers of eight, bent by ReLU.
    network = ab.TorchRegressor(
        lambda: nn.Sequential(
            *[nn.Linear(1, 8), nn.ReLU()],
            *[nn.Linear(8, 8), nn.ReLU()],
            *[nn.Linear(8, 8), nn.ReLU()],
            nn.Linear(8, 1),
        ),
        max_epochs=epochs,
        verbose=1000,
        random_state=42,
    )
    network.fit(X_train, y_train, eval_set=(X_val, y_val))
    report(network, X_test, y_test)
    losses = ab.LossDisplay.from_estimator(network, ax=axes())
    losses.figure_.savefig(folder / "curve_losses.png", dpi=150)
    fit = ab.FitDisplay.from_estimator(
        network, X, curve, name="network", others={"line": line}, ax=axes()
    )
    fit.figure_.savefig(folder / "curve.png", dpi=150)
    print(f"pictures in {folder}")


def report(model, X, y):
    """Print how good a model is on rows it has not seen."""
    mse = mean_squared_error(y, model.predict(X))
    print(f"{type(model).__name__}: test R² {model.score(X, y):.6f}, MSE {mse:.6f}")


def axes():
    """Make axes to draw on and save, without a window."""
    return Figure(figsize=(6, 4), layout="constrained").add_subplot()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, help="where the pictures go")
    parser.add_argument("--epochs", type=int, default=10_000)
    arguments = parser.parse_args()
    pictures = arguments.folder or Path(tempfile.mkdtemp(prefix="abline-"))
    pictures.mkdir(parents=True, exist_ok=True)
    main(pictures, arguments.epochs)
