"""Annotating in the browser: by whom, what, and how often; other sites cannot do it in a user's name."""

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

from blastgit import DataRepo
from tests.serve.conftest import CHECKOUT, ME, TAME, opened, serving, window
from tests.settings import add_settings

PAGE = "/t/2026dgt@0"


@pytest.fixture
def own(shelf: Path, tmp_path: Path) -> Path:
    """A copy of the data repo, to be written to."""
    shutil.copytree(shelf, tmp_path / "own.git", symlinks=True)
    return tmp_path / "own.git"


@contextlib.contextmanager
def as_alice(repo: Path, **options):
    from blastgit.serve.options import Login

    with opened(repo, login=Login(user="alice"), **options) as app:
        yield app
        app.application.extensions["blastgit"].writer.close()


def token(app, path=PAGE):
    return re.search(r'name="csrf" value="([^"]+)"', app.get(path).text)[1]


def say(app, **fields):
    return app.post("/annotate", data={"csrf": token(app), "subject": "2026dgt@0", "back": PAGE, **fields})


def test_what_is_said_is_there_at_once_and_in_git(own, run):
    with as_alice(own) as app:
        done = say(app, comment=f"seen\r\nby eye {TAME}", flag="suspect", tags="one, two", link="https://example.org/x")
        assert done.status_code == 303
        place, _, anchor = done.headers["Location"].partition("#")
        page = app.get(place).text
        assert f'id="{anchor}"' in page
        assert "seen\nby eye" in unescape(page)
        assert "<script>alert" not in page
        assert anchor.removeprefix("n-") in app.get("/log").text
        assert json.loads(app.get("/t/2026dgt@0.json").data)["annotations"][-1]["tags"] == ["one", "two"]
    log = run("git", "--git-dir", own, "log", "-1", "--format=%an %ae %cn", "annotations")
    assert log.strip() == "alice alice@users.invalid alice"


def test_of_a_file_with_an_attachment_and_back(own):
    subject = "2026dgt@0:cutout_cdn/DES/DES_z.fits"
    with as_alice(own) as app:
        upload = (io.BytesIO(b"<html><script>1</script>"), "../../evil name.html")
        done = say(app, subject=subject, comment="see the plot", attachment=upload, back="/log")
        name = done.headers["Location"].rpartition("#n-")[2]
        sent = app.get(f"/attachment/{name}")
        assert (sent.data, sent.mimetype) == (b"<html><script>1</script>", "application/octet-stream")
        assert sent.headers["Content-Disposition"] == 'attachment; filename="evil_name.html"'
        part = app.get(f"/t/2026dgt@0/part/{subject.partition(':')[2]}").text
        assert "see the plot" in part
        assert "Take back" in part
        back = {"csrf": token(app), "supersedes": name, "retract": "1", "back": "/log"}
        assert app.post("/annotate", data=back).status_code == 303
        assert "see the plot" not in app.get("/log").text
        assert "see the plot" in app.get("/log?history=1").text


def test_nothing_is_written_without_a_form_of_ones_own(own):
    with as_alice(own) as app:
        for given in ({}, {"csrf": ""}, {"csrf": "x" * 43}):
            answer = app.post("/annotate", data={"subject": "2026dgt@0", "comment": "x", **given})
            assert answer.status_code == 403
        foreign = app.get("/", headers={"Host": "evil.example:80"})
        assert foreign.status_code == 403
        assert say(app, back="https://evil.example/", comment="x").status_code == 404
        assert say(app, back="//evil.example/", comment="x").status_code == 404
    with opened(own) as app:
        assert app.post("/annotate", data={"subject": "2026dgt@0"}).status_code in (404, 405)
        assert "csrf" not in app.get(PAGE).text


def test_what_cannot_be_kept_is_said_and_not_lost(own):
    with as_alice(own) as app:
        for fields in (
            {"comment": ""}, {"comment": "x", "link": "javascript:alert(1)"}, {"comment": "x", "flag": "nil"},
            {"comment": "typed by hand", "tags": "#!"}, {"subject": f"u/{ME}/2026dgt@0", "comment": "x"},
            {"subject": "2026nil@0", "comment": "x"},
        ):  # fmt: skip
            answer = say(app, **fields)
            assert answer.status_code in (400, 404), fields
            assert "Nothing was written" in answer.text
            assert "<script>alert" not in answer.text
        assert "typed by hand" in say(app, comment="typed by hand", tags="#!").text


def test_the_policy_of_main_decides(own):
    add_settings(own, "policy:\n  roles:\n    admin: [root]\n    annotator: [bob]")
    with as_alice(own) as app:
        answer = say(app, comment="x")
        assert answer.status_code == 403
        assert "does not have the role" in unescape(answer.text)


def test_not_too_often(own):
    with as_alice(own, writes=2) as app:
        assert [say(app, comment=f"{n}").status_code for n in range(3)] == [303, 303, 503]


def test_the_header_of_a_proxy_counts_from_there_alone(own):
    from blastgit.serve.options import Login

    login = Login(proxy="10.0.0.1")
    with opened(own, login=login) as app:
        name = {"X-Remote-User": "carol"}
        trusted = app.get(PAGE, headers=name, environ_base={"REMOTE_ADDR": "10.0.0.1"}).text
        assert "Say it as carol" in trusted
        other = app.get(PAGE, headers=name, environ_base={"REMOTE_ADDR": "10.0.0.2"}).text
        assert "carol" not in other


def test_as_somebody_is_for_loopback(own, run):
    for options in (("--host", "0.0.0.0", "--as", "x"), ("--as", "x", "--proxy", "127.0.0.1"), ("--proxy", "nil"),
                    ("--oidc", "https://example.org")):  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "blastgit", "-C", own, "serve", "--port", "0", *options],
            capture_output=True, text=True, check=False, timeout=60, env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        )  # fmt: skip
        assert done.returncode == 2, (options, done.stderr)


@contextlib.contextmanager
def provider():
    """A provider of logins, as a process of its own."""
    pytest.importorskip("authlib", reason="authlib is not installed")
    process = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("provider.py")], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True,
    )  # fmt: skip
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_log_in_say_something_log_out(own, browser, run):
    with provider() as issuer, serving(
        own, "--oidc", issuer, "--oidc-client", "blastgit", BLASTGIT_OIDC_SECRET="a-secret-of-the-tests"
    ) as url, window(browser, url, allowed=(issuer,)) as here:  # fmt: skip
        page = here.go(PAGE)
        assert page.locator("form.say").count() == 0
        page.locator("header").get_by_role("link", name="Log in").click()
        page.locator("input[name=name]").fill("alice")
        page.get_by_role("button").click()
        page.wait_for_url(f"{url}{PAGE}")
        page.get_by_text("Say something of 2026dgt@0").click()
        page.get_by_label("Comment").fill("from a real browser")
        page.get_by_label("Flag").select_option("good")
        page.get_by_role("button", name="Say it as alice").click()
        page.wait_for_url(f"{url}{PAGE}#n-*")
        assert page.get_by_text("from a real browser").is_visible()
        cookie = next(each for each in here.context.cookies() if each["name"] == "blastgit")
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
        page.get_by_role("button", name="Log out").click()
        page.wait_for_url(f"{url}/")
        assert page.locator("header").get_by_role("link", name="Log in").is_visible()
    assert "alice" in run("git", "--git-dir", own, "log", "-1", "--format=%an", "annotations")
    assert DataRepo(own).annotations.about("2026dgt@0").notes[-1].event.user == "alice"
