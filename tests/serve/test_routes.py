"""All addresses of the server, by its own table of them: nothing hostile, private or withdrawn comes out of any.

A new address is tried as soon as it is there; one whose arguments nobody has named here fails until they are.
"""

import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from urllib.parse import quote

import pytest

from blastgit import DataRepo
from blastgit.serve.security import POLICY
from tests.serve import odd
from tests.serve.conftest import ME, WITHDRAWN, opened

pytestmark = pytest.mark.slow

SAFE = "/@:+,~-._"
UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def addresses(app, arguments, queries):
    """Return every address of the table with the values that its arguments may have, and with some questions.

    The first value of each argument goes well with the first of the others; of the rest each is tried with those.
    """
    found, urls = [], app.application.url_map.bind("localhost")
    for rule in app.application.url_map.iter_rules():
        if "GET" not in rule.methods:
            continue
        names = sorted(rule.arguments)
        first = {name: arguments[name][0] for name in names}
        for given in [first, *({**first, name: value} for name in names for value in arguments[name][1:])]:
            place = urls.build(rule.endpoint, given, append_unknown=False)
            found.append(place)
            found += [f"{place}?{query}" for query in queries.get(rule.endpoint.partition(".")[0], ())]
    return dict.fromkeys(found)


class Strange(HTMLParser):
    """Notes elements and attributes that no page of ours has."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        is_ours = (
            tag != "script" or given.get("type") == "application/ld+json" or given.get("src", "").startswith("/static/")
        )
        handlers = [name for name in given if name.startswith("on") or name == "style"]
        leads = [value for name, value in attrs if name in ("href", "src", "action") and value
                 and re.match(r"\s*(javascript|data|vbscript):", value, re.IGNORECASE)]  # fmt: skip
        if not is_ours or handlers or leads or given.get("src") == "x":
            self.found.append((tag, attrs))


@pytest.fixture(scope="module")
def strange(tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd")
    odd.fill(folder / "odd.git", folder / "aside")
    with opened(folder / "odd.git") as app:
        yield app


@pytest.fixture(scope="module")
def note(strange):
    said = json.loads(strange.get("/log.json").data)["annotations"]
    return next(each["id"] for each in said if each["name"] == f"{odd.EVIL}@0")


def check_headers(place, headers):
    assert headers["Content-Security-Policy"] == POLICY, place
    assert headers["X-Content-Type-Options"] == "nosniff", place
    assert all(value.isprintable() for value in headers.values()), place
    disposition = headers.get("Content-Disposition", 'inline; filename="x"')
    assert re.fullmatch(r'(inline|attachment); filename="[\w.+~@ -]+"', disposition), (place, disposition)


def test_a_hostile_text_is_text_at_every_address(strange, note):
    evil = [f"{odd.EVIL}@0", f"{odd.EVIL}", f"{odd.EVIL}@1"]
    paths = [odd.NAMED, f"{odd.NAMED}.svg", f"{odd.NAMED}.json", "cutouts", "host.name", odd.HOSTILE]
    arguments = {
        "spec": [*evil[:2], odd.HOSTILE], "path": paths, "old": [evil[0], "app:v1.12.0", odd.HOSTILE],
        "new": [evil[2], "app:v1.12.0", odd.HOSTILE], "which": ["new", "diff"],
        "form": ["csv", "votable", "ecsv", "fits"], "name": [odd.ENDLESS[:60], "evil", odd.HOSTILE, "style.css"],
        "version": ["1", odd.HOSTILE], "type_": ["filter", odd.HOSTILE], "id_": [note, odd.HOSTILE],
    }  # fmt: skip
    text = quote(odd.HOSTILE)
    queries = {
        "search-search": [f"q={text}", f"class={text}", f"z={text}", f"sort={text}"],
        "log-log": [f"user={text}&subject={text}"], "runs-choose": [f"old={text}"],
        "feed": [f"transient={text}", f"q={text}", "transient=2026evl"], "sql-saved": ["most=1", f"most={text}"],
        "sql-ask": [f"query={text}", f"query={quote('SELECT host FROM blastgit.hosts')}"],
        "provenance-provenance": [f"of={text}", f"of={quote(odd.NAMED)}"],
    }  # fmt: skip
    seen = 0
    for place in addresses(strange, arguments, queries):
        answer = strange.get(place)
        assert answer.status_code < 500, (place, answer.text[:300])
        seen += answer.status_code == 200
        check_headers(place, answer.headers)
        if answer.mimetype == "text/html":
            parser = Strange()
            parser.feed(answer.text)
            assert not parser.found, (place, parser.found[0])
            assert not UNSEEN.search(answer.text), place
            assert "{{7" not in answer.text or ">49<" not in answer.text
        elif answer.mimetype == "application/json":
            json.loads(answer.data)
        elif answer.mimetype in ("application/atom+xml", "image/svg+xml"):
            names = {element.tag.rpartition("}")[2] for element in ET.fromstring(answer.data).iter()}
            assert not names & {"script", "foreignObject", "img"}, place
        elif answer.mimetype.startswith("text/") and "static" not in place:
            assert answer.mimetype in ("text/plain", "text/csv"), place
    assert seen > 60


def test_nothing_private_or_withdrawn_is_at_any_address_for_anybody(shelf):
    repo = DataRepo(shelf)
    own = f"u/{ME}/2026dgt"
    (entry,) = repo.log(own)[:1]
    note = next(each.event.id for each in repo.annotations.about(f"{own}@0").notes)
    private = ("my-secret-thought", note, entry.revision.id, own, quote(own, safe=""))
    sha256 = repo.log("2026dgt")[0].revision.sha256(WITHDRAWN)
    arguments = {
        "spec": ["2026dgt@1", "2026dgt", f"{own}@0", own],
        "path": [WITHDRAWN, f"{WITHDRAWN}.svg", f"{WITHDRAWN}.f32", "host.redshift"],
        "old": ["2026dgt@0", f"{own}@0", f"u/{ME}"], "new": ["2026dgt@1", f"{own}@0", "app:v1.13.1"],
        "which": ["old", "new", "diff"], "form": ["csv", "votable"], "version": ["1"], "type_": ["filter", "u"],
        "name": ["nearby", f"u/{ME}/mine", own, "night/one"], "id_": [note],
    }  # fmt: skip
    asked = quote(own)
    queries = {
        "search-search": [f"q={asked}", f"q={ME}", "flag=good"],
        "log-log": [f"user={ME}", f"subject={asked}", "history=1"],
        "feed": [f"transient={asked}", f"collection={asked}"], "runs-choose": [f"old={asked}"],
        "sql-ask": [f"query={quote(f'SELECT * FROM blastgit.{table}')}" for table in ("annotations", "members")],
        "provenance-provenance": [f"of={quote(WITHDRAWN)}"],
    }  # fmt: skip
    from blastgit.serve.options import Login

    with opened(shelf, login=Login(proxy="127.0.0.1"), url="https://data.example.org") as app:
        places = addresses(app, arguments, queries)
        for who in ("curator", "reader", ""):
            for place in list(places):
                answer = app.get(place, headers={"X-Remote-User": who} if who else {})
                assert answer.status_code < 500, (place, answer.text[:300])
                if answer.mimetype != "text/html" or answer.status_code != 200:
                    places.pop(place)  # it is the same for everybody
                told = (
                    answer.get_data().decode("utf-8", "replace").replace(place, "").replace(quote(place, safe=SAFE), "")
                )
                for secret in private:
                    assert secret not in told or secret in place, (who, place, secret)
                assert str(shelf.parent) not in told, (who, place)
        for how in ({}, {"Range": "bytes=0-9"}, {"If-None-Match": f'"{sha256}"'}, {"X-Remote-User": "curator"}):
            for place in (f"/files/2026dgt@1/{WITHDRAWN}", f"/files/2026dgt/{WITHDRAWN}?even_invalid=1"):
                assert app.get(place, headers=how).status_code == 410, (place, how)
                assert app.head(place, headers=how).status_code == 410, (place, how)
