"""Every command from end to end, in this process; what needs a real one is in test_manners."""

from __future__ import annotations

import gzip
import io
import json
import sys

import numpy as np
import polars as pl
import pytest

import abline as ab
from abline.cli.main import run


@pytest.fixture
def homes(tmp_path, monkeypatch):
    """A table of 80 homes in the current folder; returns it."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.RandomState(0)
    area = rng.uniform(30, 200, 80).round(1)
    town = rng.choice(["north", "south"], 80)
    frame = pl.DataFrame(
        {"id": [f"h{i}" for i in range(80)], "area": area, "town": town,
         "price": (3 * area + 100 * (town == "north") + rng.normal(0, 5, 80)).round(2)}
    )  # fmt: skip
    frame.write_csv("homes.csv")
    return frame


@pytest.fixture
def model(homes):
    """The name of a model fitted on them."""
    assert run(["fit", "homes.csv", "-t", "price", "--model", "line", "-q"]) == 0
    return "homes.model"


def out_json(capsys) -> dict:
    return json.loads(capsys.readouterr().out)


def test_fit_saves_a_model_and_prints_a_judgement(homes, capsys):
    assert run(["fit", "homes.csv", "--target", "price", "--model", "line"]) == 0
    printed = capsys.readouterr().out
    for text in (
        "80 rows",
        "town",
        "category",
        "identifier",
        "R²",
        "± ",
        "explains",
        "homes.model",
    ):
        assert text in printed
    assert ab.load("homes.model").target_names_ == ["price"]


def test_fit_auto_compares_all(homes, capsys):
    assert run(["fit", "homes.csv", "-t", "price", "--epochs", "3", "--folds", "2", "--json"]) == 0
    result = out_json(capsys)
    assert result["schema"] == "abline.fit/1"
    names = ["mean", "line", "ridge", "lasso", "elastic-net", "network"]
    assert [m["name"] for m in result["models"]] == names
    assert set(result["scores"]) == {"r2", "rmse", "mae"}
    assert result["model"] == result["verdict"]["chosen"] != "network"


def test_fit_refuses_to_overwrite_before_any_work(model, tmp_path, capsys):
    before = (tmp_path / model).read_bytes()
    assert run(["fit", "homes.csv", "-t", "price"]) == 2
    assert "--force" in capsys.readouterr().err
    assert (tmp_path / model).read_bytes() == before
    assert run(["fit", "homes.csv", "-t", "price", "--model", "ridge", "--force", "-q"]) == 0
    assert (tmp_path / model).read_bytes() != before


def test_the_same_seed_gives_the_same_file(homes, tmp_path):
    for name in ("a.model", "b.model"):
        assert run(["fit", "homes.csv", "-t", "price", "-m", "ridge", "-o", name, "-q"]) == 0
    assert (tmp_path / "a.model").read_bytes() == (tmp_path / "b.model").read_bytes()


def test_predict_one_row_per_row_in_order(model, homes, tmp_path):
    new = homes.drop("price").select("town", "id", "area").with_columns(extra=pl.lit(1)).reverse()
    new.write_csv("new.csv")
    assert run(["predict", model, "new.csv", "-o", "p.csv", "--keep", "id,area"]) == 0
    got = pl.read_csv("p.csv")
    assert got.columns == ["id", "area", "prediction"]
    assert got["id"].to_list() == new["id"].to_list()
    np.testing.assert_array_equal(got["prediction"], ab.load(model).predict(new))


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet", "arrow", "csv.gz", "csv.zst"])
def test_predictions_in_every_format(model, ending):
    assert run(["predict", model, "homes.csv", "-o", f"p.{ending}", "-q"]) == 0
    assert ab.read_table(f"p.{ending}").columns == ["prediction"]


def test_predict_to_standard_output(model, capfdbinary):
    assert run(["predict", model, "homes.csv"]) == 0
    captured = capfdbinary.readouterr()
    lines = captured.out.decode().splitlines()
    assert lines[0] == "prediction"
    assert len(lines) == 81


def test_predict_says_what_is_unusual_and_goes_on(model, capsys):
    pl.DataFrame({"area": [50.0, None], "town": ["mars", None]}).write_csv("odd.csv")
    assert run(["predict", model, "odd.csv", "-o", "p.csv"]) == 0
    assert "town" in capsys.readouterr().out
    assert pl.read_csv("p.csv")["prediction"].is_finite().all()


def test_a_column_kept_twice_is_kept_once(model):
    assert run(["predict", model, "homes.csv", "-o", "p.csv", "--keep", "id,id"]) == 0
    assert pl.read_csv("p.csv").columns == ["id", "prediction"]


def test_what_stood_for_missing_cells_does_so_again(homes, tmp_path):
    holes = homes.with_columns(area=pl.when(pl.int_range(80) % 9 == 0).then(-999).otherwise("area"))
    holes.write_csv("holes.csv")
    assert run(["fit", "holes.csv", "-t", "price", "-m", "line", "--na=-999", "-q"]) == 0
    assert run(["predict", "holes.model", "holes.csv", "-o", "p.csv"]) == 0
    blank = holes.with_columns(area=pl.when(pl.col("area") == -999).then(None).otherwise("area"))
    expected = ab.load("holes.model").predict(blank)
    np.testing.assert_array_equal(pl.read_csv("p.csv")["prediction"], expected)


@pytest.mark.parametrize("scale", [1e200, 1e-200])
def test_targets_of_any_size_have_scores(homes, scale, capsys):
    homes.with_columns(pl.col("price") * scale).write_csv("far.csv")
    assert run(["fit", "far.csv", "-t", "price", "-m", "line", "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["scores"]["r2"] == pytest.approx(0.9989, abs=1e-3)
    assert all(len(line) <= 120 for line in captured.err.splitlines())


def test_a_target_that_does_not_vary_has_no_r2(model, homes, capsys):
    homes.with_columns(price=pl.lit(7.0)).write_csv("same.csv")
    assert run(["score", model, "same.csv", "--json", "-q"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["scores"]["r2"] is None
    assert captured.err == ""


def test_the_target_alone_is_no_table(homes, capsys):
    homes.select("price").write_csv("alone.csv")
    assert run(["fit", "alone.csv", "-t", "price"]) == 2
    assert "no column but the target 'price'" in capsys.readouterr().err


def test_predict_names_a_missing_column(model, capsys):
    pl.DataFrame({"aera": [50.0], "town": ["north"]}).write_csv("bad.csv")
    assert run(["predict", model, "bad.csv", "-o", "p.csv"]) == 2
    assert "'area'" in capsys.readouterr().err
    with pytest.raises(ab.DataError):
        ab.read_table("p.csv")


def test_predict_never_writes_over_what_it_reads(model, homes, capsys):
    assert run(["predict", model, "homes.csv", "-o", "homes.csv"]) == 2
    assert "somewhere else" in capsys.readouterr().err
    assert pl.read_csv("homes.csv").equals(homes)


def test_score_agrees_with_the_model(model, homes, capsys):
    assert run(["score", model, "homes.csv", "--json"]) == 0
    result = out_json(capsys)
    assert result["schema"] == "abline.score/1"
    fitted = ab.load(model)
    assert result["scores"]["r2"] == pytest.approx(fitted.score(homes, homes["price"]))
    assert result["rows"] == 80


def test_compare_prints_the_models_side_by_side(homes, capsys):
    arguments = ["compare", "homes.csv", "-t", "price", "--model", "line,ridge", "--folds", "3"]
    assert run([*arguments, "-o", "best.model"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in ("mean", "line", "ridge", "RMSE"))
    assert ab.load("best.model").card_["model"] in ("line", "ridge")
    assert run([*arguments, "--json"]) == 0
    result = out_json(capsys)
    assert result["schema"] == "abline.compare/1"
    assert result["folds"] == 3
    assert set(result["models"][0]["scores"]) == {"r2", "rmse", "mae"}


def test_show_tells_from_the_file_alone(model, capsys, tmp_path):
    (tmp_path / "homes.csv").unlink()
    assert run(["show", model]) == 0
    printed = capsys.readouterr().out
    for text in ("line", "80 rows", "price", "R²", "area", "Intercept", "std. error"):
        assert text in printed
    assert run(["show", model, "--json"]) == 0
    result = out_json(capsys)
    assert result["schema"] == "abline.show/1"
    assert {"r2", "rmse", "mae"} == set(result["scores"])


def test_show_of_a_model_saved_in_python(tmp_path, capsys):
    ab.TorchRegressor(max_epochs=2, random_state=0).fit(np.eye(3), np.ones(3)).save(
        tmp_path / "t.model"
    )
    assert run(["show", str(tmp_path / "t.model"), "--json"]) == 0
    assert out_json(capsys)["network"]["epochs"] == 2


def test_european_csv_from_standard_input(homes, monkeypatch, capsys):
    text = homes.write_csv(separator=";", decimal_comma=True)
    packed = gzip.compress(text.encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(packed)))
    arguments = ["fit", "-", "-t", "price", "-m", "line", "-o", "m.model", "--json"]
    assert run(arguments) == 0
    columns = {c["name"]: c["role"] for c in out_json(capsys)["columns"]}
    assert columns["area"] == "number"


def test_roles_and_weights_are_overruled(homes, capsys):
    homes.with_columns(w=pl.lit(1.0), code=pl.Series(range(80)) % 4).write_csv("w.csv")
    arguments = ["fit", "w.csv", "-t", "price", "-m", "line", "--json", "--weights", "w"]
    assert run([*arguments, "--categorical", "code", "--ignore", "town,id"]) == 0
    columns = {c["name"]: c["role"] for c in out_json(capsys)["columns"]}
    assert columns["code"] == "category"
    assert columns["town"] == "ignored"
    assert "w" not in columns


BAD_TABLES = {
    "empty.csv": "",
    "header.csv": "area,price\n",
    "long.csv": "area,price\n1,2\n1,2,3\n4,5\n",
    "short.csv": "area,price\n1,2\n1\n4,5\n",
    "twice.csv": "price,price\n1,2\n3,4\n",
    "text.csv": "area,price\n1,a\n2,b\n",
    "constant.csv": "area,price\n1,5\n2,5\n",
    "nothing.csv": "area,price\n1,1\n1,2\n1,3\n",
    "few.csv": "area,price\n1,1\n2,2\n3,4\n",
    "infinite.csv": "area,price\n" + "\n".join(f"{i},{i}" for i in range(20)) + "\ninf,3\n",
    "noise.csv": "\x00\x01\x02\xff\x00",
}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("empty.csv", "empty"),
        ("header.csv", "no rows"),
        ("long.csv", "row 2"),
        ("short.csv", "row 2"),
        ("twice.csv", "'price'"),
        ("text.csv", "'price'"),
        ("constant.csv", "'price'"),
        ("nothing.csv", "column"),
        ("few.csv", "folds"),
        ("infinite.csv", "'area'"),
        ("noise.csv", "noise.csv"),
        ("nowhere.csv", "nowhere.csv"),
    ],
)
def test_bad_tables_get_one_sentence(name, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    if name in BAD_TABLES:
        (tmp_path / name).write_text(BAD_TABLES[name], encoding="utf-8")
    assert run(["fit", name, "-t", "price", "-o", "m.model"]) == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert printed.startswith("abline: ")
    assert printed.count("\n") == 1
    assert not (tmp_path / "m.model").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ([name] if name in BAD_TABLES else [])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fit", "homes.csv", "-t", "prise"], "did you mean 'price'"),
        (["fit", "homes.csv"], "--target"),
        (["fit", "homes.csv", "-t", "price", "--model", "ridgge"], "did you mean 'ridge'"),
        (["fit", "homes.csv", "-t", "price", "--epochs", "-5"], "--epochs is -5"),
        (["fit", "homes.csv", "-t", "price", "--epochs", "many"], "--epochs is 'many'"),
        (["fit", "homes.csv", "-t", "price", "--folds", "2.5"], "--folds is '2.5'"),
        (["fit", "homes.csv", "-t", "price", "--ignore", "price"], "is the target"),
        (["fit", "homes.csv", "-t", "price", "--features", "area,price"], "is the target"),
        (["fit", "homes.csv", "-t", "price", "--features", ""], "--features"),
        (["fit", "homes.csv", "-t", "price", "-o", "a" * 300 + ".model"], "file name too long"),
        (["fit", "a" * 300, "-t", "price"], "name"),
        (["score", "homes.model", "homes.csv", "-t", "area"], "as a feature"),
        (["score", "homes.model", "homes.csv", "--weights", "area"], "as a feature"),
        (["fit", "homes.csv", "-t", "price", "--folds", "1"], "--folds is 1"),
        (["fit", "homes.csv", "-t", "price", "--device", "cudda"], "did you mean 'cuda'"),
        (["fit", "homes.csv", "-t", "price", "--seed", "-1"], "--seed"),
        (["fit", "homes.csv", "-t", "price", "--ignore", "twon"], "did you mean 'town'"),
        (["fit", "homes.csv", "-t", "price", "--format", "xlsx"], "--format"),
        (["fit", "homes.csv", "-t", "price", "--encoding", "utf-9"], "utf-9"),
        (["fit", "homes.csv", "-t", "price", "-o", "nowhere/m.model"], "nowhere"),
        (["fit", "homes.csv", "-t", "price", "-o", "."], "folder"),
        (["fit", "homes.csv", "-t", "price", "--targt", "x"], "--targt"),
        (["fitt"], "fit"),
        (["predict", "homes.csv", "homes.csv"], "homes.csv"),
        (["predict", "nowhere.model", "homes.csv"], "nowhere.model"),
        (["show", "nowhere.model"], "nowhere.model"),
        (["predict", "homes.model", "homes.csv", "--json"], "-o PATH"),
        (["predict", "homes.model", "homes.csv", "--keep", "idd"], "did you mean 'id'"),
        (["predict", "homes.model", "homes.csv", "-o", "p.xyz"], "p.xyz"),
        (["score", "homes.model", "homes.csv", "-t", "prise"], "did you mean 'price'"),
    ],
)
def test_wrong_arguments_get_one_sentence(model, arguments, said, capsys):
    if arguments[0] == "fit" and "-o" not in arguments:
        arguments = [*arguments, "-o", "other.model"]
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == "" or arguments[0] == "fit"


def test_standard_input_needs_a_name_for_the_model(capsys):
    assert run(["fit", "-", "-t", "price"]) == 2
    assert "--out" in capsys.readouterr().err


def test_a_defect_is_one_sentence_and_exit_1(homes, monkeypatch, capsys):
    import abline.cli.fit

    def broken(*_, **__):
        raise RuntimeError("boom")

    monkeypatch.setattr(abline.cli.fit, "run_fit", broken)
    assert run(["fit", "homes.csv", "-t", "price"]) == 1
    assert "defect of abline (RuntimeError: boom)" in capsys.readouterr().err


def test_an_interrupt_is_130_and_leaves_nothing(homes, monkeypatch, capsys, tmp_path):
    import abline.cli.fit

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(abline.cli.fit, "fit_labelled", interrupted)
    assert run(["fit", "homes.csv", "-t", "price"]) == 130
    assert [p.name for p in tmp_path.iterdir()] == ["homes.csv"]
