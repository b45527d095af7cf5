"""The comparison of two revisions: the cause first, differences in suitable units, pictures in the same stretch."""

import json
from html import unescape

import pytest

from blastgit.serve.compared import is_of, label_of
from tests.serve.conftest import WITHDRAWN, window

PAIR = "/compare/2026dgt@0...2026dgt@1"
IMAGE = "cutout_cdn/DES/DES_z.fits"


def test_what_differs(app):
    data = json.loads(app.get(f"{PAIR}.json").data)
    assert "DES_z image changed" in data["reason"]
    assert [each["path"] for each in data["images"]] == [IMAGE]
    sigmas = [abs(each["sigma"]) for each in data["values"] if each["sigma"] is not None]
    assert sigmas == sorted(sigmas, reverse=True)
    assert sigmas[0] > 1
    by_path = {each["path"]: each for each in data["values"]}
    magnitude = by_path["photometry/2026dgt_DES_z_global/DES_z.magnitude"]
    assert (magnitude["difference_unit"], magnitude["relative"]) == ("mag", None)
    assert magnitude["label"] == "DES_z magnitude, global"
    mass = by_path["sed/global.log_mass_50"]
    assert (mass["difference_unit"], mass["relative"], mass["label"]) == ("dex", None, "log M★, global")


def test_the_page_draws_both(app):
    page = unescape(app.get(PAIR).text)
    assert page.index("DES_z image changed") < page.index('class="viewer"') < page.index("Values")
    assert page.count('class="curve a"') >= 2
    assert "beyond 1 " in page
    same = unescape(app.get("/compare/2026dgt@0...2026dgt@0").text)
    assert "The two are equal" in same


def test_the_pictures_of_a_pair(app):
    base = "/pair/2026dgt@0...2026dgt@1"
    for which in ("old", "new", "diff"):
        assert "data:image/png;base64," in app.get(f"{base}/{which}/{IMAGE}.svg").text
    assert app.get(f"{base}/other/{IMAGE}.svg").status_code == 404
    assert app.get(f"{base}/new/{WITHDRAWN}.svg").status_code == 410
    assert app.get(f"{base}/old/{WITHDRAWN}.svg").status_code == 200


def test_other_names_and_none(app):
    assert app.get("/compare/2026dgt@2026-05-28...2026dgt").headers["Location"] == PAIR
    assert app.get("/compare/2026dgt@0...2026dgt@9").status_code == 404
    assert app.get("/compare/2026dgt@0").status_code == 404


@pytest.mark.slow
def test_blink_wipe_and_difference_by_keys(server, browser):
    with window(browser, server, reduced_motion="reduce") as here:
        page = here.go(PAIR)
        viewer = page.locator(".viewer").first
        viewer.focus()
        old, new, difference = (viewer.locator(f"figure.{kind}") for kind in ("old", "new", "diff"))
        page.keyboard.press("b")
        assert (new.is_visible(), old.is_visible(), difference.is_visible()) == (True, False, False)
        page.keyboard.press("b")  # motion is reduced: it turns when it is told to
        assert (new.is_visible(), old.is_visible()) == (False, True)
        page.keyboard.press("d")
        assert (difference.is_visible(), old.is_visible(), new.is_visible()) == (True, False, False)
        page.keyboard.press("w")
        slider = viewer.get_by_role("slider")
        slider.focus()
        page.keyboard.press("ArrowRight")
        assert new.evaluate("each => each.style.clipPath") == "inset(0px 0px 0px 51%)"
        page.keyboard.press("s")
        assert difference.is_visible()
        with page.expect_response("**/*.f32"):
            old.locator(".px").hover()
        page.mouse.move(0, 0)
        page.wait_for_function("document.querySelector('.viewer').dataset.newValues")
        old.locator(".px").hover(position={"x": 20, "y": 20})
        assert "RA " in viewer.locator("output").inner_text()


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("sed/local.log_mass_50", "log M★, local"),
        ("sed/global.log_mass_16", "log M★, global, percentile 16"),
        ("photometry/2026dgt_DES_z_global/DES_z.flux_error", "DES_z flux error, global"),
        ("sfh/local/3.5587740036215676.logsfr_84", "log SFR 3.56 Gyr ago, local, percentile 84"),
        ("host.redshift", "host.redshift"),
    ],
)
def test_what_a_person_calls_a_value(path, label):
    assert label_of(path) == label


def test_what_belongs_to_an_aperture():
    assert is_of("photometry/2026dgt_DES_z_global/DES_z.flux", "global")
    assert is_of("sed_output/2026dgt_local_chain.npz", "local")
    assert not is_of("cutout_cdn/DES/DES_z.fits", "local")
    assert not is_of("photometry/2026dgt_DES_z_global/DES_z.flux", "local")


def test_a_fit_that_did_not_change_is_folded_away(app):
    assert "No value differs" not in app.get(PAIR).text
    assert app.get("/compare/2026dgt@0...2026dgt@0").text.count("No value differs") == 2
