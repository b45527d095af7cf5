from pathlib import Path

import pytest

from blastgit.content import Tolerance, describe, probe, same
from blastgit.content.pictures import render

pytestmark = pytest.mark.slow

T = Tolerance()
SED = "data/sed_output/2010H"


def test_every_file_is_sound_and_equal_to_itself(real: Path) -> None:
    for path in sorted((real / "a_first/data").rglob("*.*")):
        assert probe(path.name, path) is None
        verdict = same(path.name, path, path, T)
        assert verdict.equal
        assert verdict.note is None


def test_a_rerun_differs_in_bytes_but_not_in_content(real: Path) -> None:
    old, new = (real / case / SED / "2010H_global.h5" for case in ("b2_reprocess_new_version", "b6_reprocess_back"))
    assert old.read_bytes() != new.read_bytes()
    assert same(old.name, old, new, T).equal
    assert not same(old.name, old, new, Tolerance(relative=0)).equal


@pytest.mark.parametrize("kind", ["global.h5", "global_chain.npz", "global_perc.npz", "global_modeldata.npz"])
def test_a_new_version_differs(real: Path, kind: str) -> None:
    old, new = (real / case / SED / f"2010H_{kind}" for case in ("a_first", "b2_reprocess_new_version"))
    assert not same(kind, old, new, T).equal
    assert describe(kind, old, new, T).parts


def test_a_changed_image(real: Path) -> None:
    name = "data/cutout_cdn/2010H/2MASS/2MASS_H.fits"
    old, new = real / "a_first" / name, real / "c1_one_image_changed" / name
    assert "24,492 of 24,806 pixels" in describe(name, old, new, T).summary()
    assert render(old, new).difference
