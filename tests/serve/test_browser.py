"""A real browser at a real server: no policy violations, everything reachable, and usable without scripts."""

import pytest

from tests.serve.conftest import window

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PAGES = ("/", "/t/2026dgt", "/t/2026dgt@0", "/t/2026bad", "/t/2026xss", "/c", "/c/nearby", "/release/nearby/1",
         "/files/2026dgt@1/", "/?q=2026&class=SN+Ia", "/t/2026nil",
         "/compare/2026dgt@0...2026dgt@1", "/t/2026dgt@0/part/cutout_cdn/DES/DES_z.fits", "/t/2026dgt@0/provenance",
         "/compare/runs", "/compare/runs/app:v1.12.0...app:v1.13.1?type=photometry", "/r/filter/DES_z",
         "/log", "/status",
         "/sql?query=SELECT+TOP+2+*+FROM+blastgit.transients")  # fmt: skip


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1280, "light")])
def test_no_page_has_a_fault_for_axe_or_the_policy(server, browser, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    with window(browser, server, may_fail=True, viewport={"width": width, "height": 800}, color_scheme=scheme) as here:
        faults = []
        for path in PAGES:
            page = here.go(path)
            found = axe.run(page).response["violations"]
            faults += [(path, each["id"], each["nodes"][0]["html"][:300]) for each in found]
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            faults += [(path, f"{wide} pixels too wide")] if wide > 0 else []
        assert not faults
        assert [fault for fault in here.faults if "404" not in fault] == []


def test_without_scripts(server, browser):
    with window(browser, server, java_script_enabled=False) as here:
        page = here.go("/")
        page.get_by_role("searchbox").fill("SN 2026dgt")
        page.keyboard.press("Enter")
        page.wait_for_url("**/t/2026dgt")
        assert page.get_by_role("heading", level=1).inner_text().startswith("2026dgt")
        assert page.locator("svg.plot").count() >= 3
        assert page.locator("figure img").count() == 3


def test_by_keyboard_alone(server, browser):
    with window(browser, server) as here:
        page = here.go("/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "To the content"
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.type("2026bad")
        page.keyboard.press("Enter")
        page.wait_for_url("**/t/2026bad")
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.getAttribute('href')") == "/c/night/one":
                break
        page.keyboard.press("Enter")
        page.wait_for_url("**/c/night/one")


def test_printing_a_revision_gives_a_readable_sheet(server, browser):
    with window(browser, server) as here:
        page = here.go("/t/2026dgt")
        page.emulate_media(media="print")
        assert not page.get_by_role("searchbox").is_visible()
        assert page.get_by_text("log M★").first.is_visible()
        data = page.pdf(format="A4")
        assert data.startswith(b"%PDF")
