"""What can be tried of `benchmarks.blast` without Blast: its patches, its stand-ins, its table."""

import json
import subprocess
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.blast.events import EVENTS
from benchmarks.blast.installed import STAND_INS, changes, check, prepare
from benchmarks.blast.report import Seen, cost_lines, table

BAND = SimpleNamespace(name="PanSTARRS_r", magnitude_zero_point_keyword=None, survey=SimpleNamespace(name="PanSTARRS"))


@pytest.fixture
def told(monkeypatch, tmp_path):
    """Tell the stand-ins something."""
    monkeypatch.syspath_prepend(str(STAND_INS))
    monkeypatch.setenv("STAND_INS", str(tmp_path / "told.json"))

    def tell(**things):
        (tmp_path / "told.json").write_text(json.dumps(things))

    return tell


def position():
    from astropy.coordinates import SkyCoord

    return SkyCoord(150.0012, 2.0008, unit="deg")


def test_the_changes_are_patches_of_blasts_app():
    touched = [line for patch in changes() for line in patch.splitlines() if line.startswith("+++ b/")]
    assert len(touched) == 8
    assert all(line.startswith("+++ b/app/") for line in touched)


def test_a_folder_that_is_no_blast_is_refused(tmp_path):
    with pytest.raises(SystemExit, match="is no checkout of Blast"):
        prepare(tmp_path, tmp_path / "work")


def test_a_change_that_does_not_apply_is_named_and_the_checkout_stays_as_it_is(tmp_path):
    workflow = tmp_path / "blast" / "app" / "host" / "workflow.py"
    workflow.parent.mkdir(parents=True)
    workflow.write_text("from another import release\n")
    (tmp_path / "work").mkdir()
    with pytest.raises(SystemExit, match="does not apply"):
        prepare(tmp_path / "blast", tmp_path / "work")
    assert workflow.read_text() == "from another import release\n"


def test_a_python_without_blasts_requirements_is_refused_by_what_it_lacks(tmp_path):
    bare = tmp_path / "bare"
    subprocess.run(["python3", "-m", "venv", "--without-pip", bare], check=True)
    with pytest.raises(SystemExit, match="lacks what Blast or its recording needs: django celery"):
        check(bare / "bin" / "python")


def test_an_image_is_the_same_each_time_unless_it_is_told_otherwise(told):
    from blast_stand_ins.sky import cutout

    first, again = (cutout(position(), BAND)[0][0].data for _ in range(2))
    assert np.array_equal(first, again)
    told(brighter={BAND.name: 1.03})
    assert cutout(position(), BAND)[0][0].data.max() > first.max()
    told(no_image=[BAND.name])
    assert cutout(position(), BAND) == (None, 0, None)
    told(unanswered=[BAND.name])
    assert cutout(position(), BAND)[1] == 1


def test_a_fit_follows_from_the_photometry_and_is_redrawn_if_told(told):
    from blast_stand_ins.fit import fit_sbi_pp

    def chain(maggies):
        return fit_sbi_pp({"maggies": [maggies], "redshift": 0.03})[0]["sampling"][0]["samples"]

    assert np.array_equal(chain(1e-6), chain(1e-6))
    assert not np.array_equal(chain(1e-6), chain(1.1e-6))
    told(redraws=True)
    assert not np.array_equal(chain(1e-6), chain(1e-6))
    told(fit_fails=True)
    assert fit_sbi_pp({"maggies": [1e-6], "redshift": 0.03})[1] == 1


def test_each_event_says_what_it_has_to_come_to():
    assert len(EVENTS) >= 30
    assert len({event.what for event in EVENTS}) == len(EVENTS)
    assert all(event.expected for event in EVENTS)


def test_the_table_says_what_came_to_something_else():
    seen = [Seen(1, "first", "a revision", "2099aa/0", True, 3.2), Seen(2, "again", "unchanged", "a | b", False, 1.0)]
    lines = table(seen).splitlines()
    assert lines[2:4] == [
        "| 1 | first | a revision | 2099aa/0 | 3 |",
        "| 2 | again | unchanged | **NOT: a / b** | 1 |",
    ]
    assert lines[-1] == "1 of 2 events came to what they have to."
    assert "memory that it adds" in cost_lines({"first": 0.4, "again": None, "before": 1e8, "memory": 1e8})
