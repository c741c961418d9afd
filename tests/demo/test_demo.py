"""The two jobs reproduce the published figures and tell about them in one page."""

from __future__ import annotations

import json
import math
import random
import re
from importlib.resources import files

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from sklearn.linear_model import LinearRegression as Reference

from abline.demo import Agreement, demo_tables, run_demo
from abline.demo.fits import fit_job
from abline.demo.jobs import curve_job, line_job
from abline.errors import OutputError, ParameterError

FIGURES = json.loads(files("abline.demo").joinpath("figures.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """A demo of 1,001 epochs: enough for two of the listed ones."""
    heard = []
    result = run_demo(
        tmp_path_factory.mktemp("demo") / "new" / "folder",
        epochs=1001,
        progress=lambda *step: heard.append(step),
    )
    return result, heard


@pytest.mark.parametrize(("make", "name"), [(line_job, "linear"), (curve_job, "curve")])
def test_the_data_are_the_published_jobs(make, name):
    job = make()
    assert job.X_train.dtype == job.y_test.dtype == np.float32
    assert [len(part) for part in (job.y_train, job.y_valid, job.y_test)] == [800, 200, 200]
    line = Reference().fit(job.X_train.astype(float), job.y_train.astype(float))
    figures = FIGURES[name]["published" if name == "linear" else "plain_pytorch"]["ols"]
    assert line.coef_[0] == pytest.approx(figures["coef"], rel=1e-6)
    assert line.intercept_ == pytest.approx(figures["intercept"], rel=1e-5)
    assert line.score(job.X_test, job.y_test) == pytest.approx(figures["test_r2"], rel=1e-6)


def test_the_data_have_the_noise_that_is_said():
    assert line_job().test_noise == pytest.approx(4.0, rel=0.2)
    assert curve_job().test_noise == pytest.approx(0.01, rel=0.2)
    assert line_job().true_slope == pytest.approx(
        FIGURES["linear"]["published"]["true_coef"], abs=5e-4
    )
    assert len(line_job().features) == len(line_job().target) == 1200


def global_generators():
    numpy_state = np.random.get_state()[1].tobytes()
    return torch.get_rng_state().tolist(), numpy_state, random.getstate()


def test_a_fit_leaves_the_global_generators_alone():
    before = global_generators()
    fit_job(curve_job(), None, epochs=2)
    assert global_generators() == before


def by_group(agreements, group):
    return {each.quantity: each for each in agreements if each.group == group}


def test_first_epochs_agree(short):
    result, _ = short
    for agreements, digits in [(result.line_agreement, 6), (result.curve_agreement, 4)]:
        for quantity in ("0", "1,000"):
            assert by_group(agreements, "train")[quantity].digits >= digits
            assert by_group(agreements, "valid")[quantity].digits >= min(digits, 6) - 2
        assert all(each.digits >= 5 for each in by_group(agreements, "line").values())
        assert set(by_group(agreements, "train")) == {"0", "1,000"}


def test_with_fewer_epochs_later_figures_are_not_compared(short):
    result, _ = short
    for agreements in (result.line_agreement, result.curve_agreement):
        for each in by_group(agreements, "trained").values():
            assert each.reference is each.published is each.digits is None
    for table in demo_tables(result):
        assert "this run had 1,001" in table.note
        assert any("–" in row for row in table.rows)


def test_progress_is_told(short):
    _, heard = short
    assert heard[0] == ("a line", 1, 1001)
    assert heard[1] == ("a line", 51, 1001)
    assert heard[-1] == ("a network", 1001, 1001)
    assert len(heard) == 2 * 21


def test_the_page_is_whole(short):
    result, _ = short
    page = result.report.read_text(encoding="utf-8")
    assert result.report.name == "report.html"
    assert len(re.findall(r'<img src="data:image/png;base64,', page)) == page.count("<img") == 5
    assert page.count(' alt="') == 5
    assert ' alt=""' not in page
    assert not re.search(r"<script|https?://|<link", page)
    for figure in (
        f"{result.curve.trained_score.r2:.3f}",
        f"{result.line.trained.history_['train_loss'][1000]:.2f}",
        f"{result.line.line.coef_[0]:.4f}",
    ):
        assert figure in page
    assert plt.get_fignums() == []


def test_the_page_is_refused_before_the_fits(tmp_path):
    (tmp_path / "file").write_text("")
    heard = []
    for out in (tmp_path / "file", tmp_path / "file" / "deeper"):
        with pytest.raises(OutputError, match="file"):
            run_demo(out, epochs=1, progress=lambda *step: heard.append(step))
    (tmp_path / "report.html").mkdir()
    with pytest.raises(OutputError, match="report"):
        run_demo(tmp_path, epochs=1, progress=lambda *step: heard.append(step))
    assert heard == []


@pytest.mark.parametrize("epochs", [0, -3])
def test_a_number_of_epochs_that_cannot_be_is_refused(tmp_path, epochs):
    with pytest.raises(ParameterError, match="max_epochs"):
        run_demo(tmp_path, epochs=epochs)
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize(
    ("ours", "reference", "digits"),
    [
        (1.0, 1.0, math.inf),
        (1.0 + 4e-6, 1.0, 6),
        (1.0 + 6e-6, 1.0, 5),
        (104.9, 100.0, 2),
        (3.0, 1.0, 0),
        (-1e9, 1.0, 0),
        (1.0, 0.0, 0),
        (1.0, None, None),
    ],
)
def test_digits_are_counted_as_promised(ours, reference, digits):
    assert Agreement("line", "slope", ours, reference, None).digits == digits


@pytest.mark.slow
def test_the_whole_demo_agrees_with_what_was_published(tmp_path):
    result = run_demo(tmp_path)
    line, curve = result.line_agreement, result.curve_agreement
    for each in (*by_group(line, "train").values(), *by_group(line, "valid").values()):
        assert each.digits >= 6
    after = by_group(line, "trained")
    assert after["slope"].digits >= 4
    assert after["intercept"].digits >= 4
    assert after["R² on test rows"].digits >= 6
    assert after["MSE on test rows"].digits >= 6
    assert len(by_group(line, "train")) == len(by_group(curve, "valid")) == 10
    assert result.curve.trained_score.r2 >= 0.975
    assert all("–" not in row for table in demo_tables(result) for row in table.rows)
