"""What a newer Blast exports beside what the rules know counts too: a change of it is never missed."""

import copy
import json

import pytest

from blastgit.demo import small
from blastgit.revision.compare import compare
from blastgit.revision.digest import science_digest
from blastgit.revision.export import read_export
from blastgit.revision.normalise import normalise
from blastgit.revision.reason import Changes
from blastgit.revision.rules import build_rules, default_rules

RULES = default_rules()
SPECTRUM = {"model": "host.spectrum", "pk": 7, "fields": {"name": "NTT", "flux": [1.0, 2.5]}}
OTHER = {"model": "host.spectrum", "pk": 8, "fields": {"name": "VLT", "flux": [3.0]}}


def form(change, rules=RULES):
    document = json.loads(small("2026abc").text)
    change(document)
    return normalise(read_export(json.dumps(document).encode()), rules)


def with_spectra(*rows):
    return lambda document: document.update(spectra=[copy.deepcopy(row) for row in rows])


def paths(old, new):
    return [change.path for change in compare(form(old), form(new), RULES)]


def beside(document):
    document["host"]["quality"] = "good"
    document["apertures"][0]["spectra"] = [copy.deepcopy(SPECTRUM)]


def nothing(document):
    pass


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        (nothing, with_spectra(SPECTRUM), ["document.spectra"]),
        (with_spectra(SPECTRUM), with_spectra(SPECTRUM, OTHER), ["document.spectra"]),
        (with_spectra(SPECTRUM), nothing, ["document.spectra"]),
        (nothing, lambda document: document.update(schema=2), ["document.schema"]),
        (nothing, with_spectra(), []),
        (with_spectra(SPECTRUM, OTHER), with_spectra({**OTHER, "pk": 70}, {**SPECTRUM, "pk": 80}), []),
    ],
)
def test_a_table(old, new, changed):
    assert paths(old, new) == changed


def test_keys_beside_the_fields_of_a_row():
    assert [path.rpartition(".")[2] for path in paths(nothing, beside)] == ["quality", "spectra"]


def test_the_reason_names_both():
    def both(document):
        beside(document)
        with_spectra(SPECTRUM)(document)

    found = Changes(compare(form(nothing), form(both), RULES), [])
    assert found.reason(RULES) == "schema added host.quality, apertures.spectra, document.spectra"


def test_it_is_left_out_if_the_rules_say_so():
    ignore = build_rules({"unknown_fields": "ignore"})
    assert form(with_spectra(SPECTRUM), ignore).values == form(nothing, ignore).values


def test_it_is_part_of_the_digest():
    assert science_digest(form(with_spectra(SPECTRUM)), {}, RULES) != science_digest(form(nothing), {}, RULES)
