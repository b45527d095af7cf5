import io
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from blastgit.content.pictures import Entry, Pictures, page, render


def write(path: Path, data: np.ndarray, **cards: object) -> Path:
    hdu = fits.PrimaryHDU(data)
    hdu.header.update(cards)
    hdu.writeto(path)
    return path


def colours(png: bytes | None) -> np.ndarray:
    assert png is not None
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    data = np.random.default_rng(3).normal(size=(50, 100))
    data[0, 0] = np.nan
    old = write(tmp_path / "a", data, BUNIT="DN")
    data[0, 99], data[49, 0], data[49, 99] = data[0, 99] + 10, data[49, 0] - 10, np.nan
    return render(old, write(tmp_path / "b", data, BUNIT="DN"))


def test_small_images_are_enlarged_and_point_up(pictures: Pictures) -> None:
    before, difference = colours(pictures.before), colours(pictures.difference)
    assert before.shape == difference.shape == (150, 300, 3)
    assert tuple(before[-1, 0]) == (46, 139, 87)
    assert tuple(difference[-1, 0]) == (46, 139, 87)
    assert tuple(difference[0, -1]) == (255, 176, 0)
    assert tuple(difference[-1, -1]) == (178, 24, 43)
    assert tuple(difference[0, 0]) == (33, 102, 172)
    assert tuple(difference[75, 150]) == (245, 245, 245)
    assert pictures.limit == pytest.approx(10)


def test_one_stretch_for_both(pictures: Pictures) -> None:
    assert (colours(pictures.before)[10:-10] == colours(pictures.after)[10:-10]).all()


def test_large_images_are_reduced(tmp_path: Path) -> None:
    data = np.zeros((30, 2500), "i2")
    data[:, :3] = 5
    old = write(tmp_path / "a", data, BSCALE=2.0, BZERO=1.0)
    pictures = render(old, None)
    assert colours(pictures.before).shape == (10, 834, 3)
    assert (pictures.factor, pictures.after, pictures.difference) == (3, None, None)


def test_different_shapes_have_no_difference(tmp_path: Path) -> None:
    old, new = write(tmp_path / "a", np.ones((9, 9))), write(tmp_path / "b", np.ones((9, 8)))
    pictures = render(old, new)
    assert pictures.before
    assert pictures.after
    assert pictures.difference is None


def test_nothing_to_see(tmp_path: Path) -> None:
    old = write(tmp_path / "a", np.full((9, 9), np.nan))
    assert render(old, old).low is None
    (tmp_path / "b").write_bytes(b"no")
    assert render(tmp_path / "b", None) == Pictures(None, None, None)


def test_page_is_self_contained(pictures: Pictures, tmp_path: Path) -> None:
    text = page("a <b>", [Entry("x/y.fits", "3 of 5,000 pixels & more", pictures), Entry("z", "", render(None, None))])
    assert text.count("data:image/png;base64,") == 3
    assert "a &lt;b&gt;" in text
    assert "pixels &amp; more" in text
    assert "±10 DN" in text
    assert "http" not in text
    assert "No image changed" in page("none", [])
