"""Real histories of Blast in sequence: what is a new revision, and does its reason name the cause?"""

import itertools
import json
import math

import pytest

from blastgit import DataRepo, compare_exports
from blastgit.naming.names import Spec
from blastgit.repository.history import History
from blastgit.repository.init import init
from blastgit.repository.local import LocalRepository
from blastgit.revision.document import parse

pytestmark = pytest.mark.slow

FOLLOWS = "the global SED results follow"
HISTORY = [
    # case, revision that it is, whether it is new, the whole reason
    ("a_first", 0, True, "first revision, 24 files, by v1.12.0"),
    ("b1_reprocess_same_version", 0, False, "the values are those of revision 0"),
    (
        "b2_reprocess_new_version", 1, True,
        f"2 is_validated flags flipped (SDSS_z, WISE_W4), no flux changed; {FOLLOWS}",
    ),
    ("b4_filter_added_reprocess", 1, False, "the values are those of revision 1"),
    ("b6_reprocess_back", 1, False, "the values are those of revision 1"),
    (
        "c1_one_image_changed", 2, True,
        "2MASS_H image changed; flux changed in 2MASS_H by +3 %; 1 is_validated flag flipped (SDSS_z); " + FOLLOWS,
    ),
    (
        "c4_one_flux_edited", 3, True,
        ("2MASS_H image is again that of revision 1; flux changed in 2MASS_H by -2.91 %, SDSS_r by +0.1 %; "
        f"2 is_validated flags flipped (SDSS_u, SDSS_z); {FOLLOWS}"),
    ),
    (
        "g1_nan_inf", 4, True,
        ("flux changed in SDSS_r by -0.0999 %; 1 is_validated flag flipped (SDSS_u); changed: magnitude of SDSS_r, "
        f"magnitude_error of SDSS_r; {FOLLOWS}; the local SED results differ though no input changed for them "
        "(the fit draws random samples)"),
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def recorded(cases, tmp_path_factory):
    """A data repo with the history of 2010H, and what each recording came to."""
    repo = tmp_path_factory.mktemp("cases") / "repo"
    init(repo)
    return repo, [_record(repo, cases / "2010H" / case) for case, *_ in HISTORY]


def _record(repo, case):
    return DataRepo(repo).record(case.parent.name, case / "export.json", case / "data")


def revision(repo, number, name="2010H"):
    return History(LocalRepository(repo)).revision(Spec(name, number=number))


def by_natural_order(value):
    """A document without the order of its lists; NaN is printed, so that it equals itself."""
    if isinstance(value, dict):
        return {key: by_natural_order(inner) for key, inner in value.items()}
    return sorted((by_natural_order(inner) for inner in value), key=repr) if isinstance(value, list) else repr(value)


@pytest.mark.parametrize("step", range(len(HISTORY)), ids=[case for case, *_ in HISTORY])
def test_the_history_of_2010H(recorded, step):  # noqa: N802 (a transient's name)
    _, results = recorded
    _, number, new, reason = HISTORY[step]
    result = results[step]
    assert (result.revision, result.status) == (number, "recorded" if new else "unchanged"), result.reason
    assert result.reason == reason


def test_a_content_equal_file_keeps_the_bytes_that_were_published_first(recorded, cases):
    repo, results = recorded
    path = "sed_output/2010H_global.h5"
    b2, b6 = (
        (cases / "2010H" / case / "data/sed_output/2010H/2010H_global.h5").read_bytes()
        for case in ("b2_reprocess_new_version", "b6_reprocess_back")
    )
    assert b2 != b6
    assert [(f.path, f.change) for f in results[4].files if not f.derived] == [(path, "content-equal")]
    first = revision(repo, 1)
    assert DataRepo(repo).session.repository.store.local_path(first.pointers[path].md5).read_bytes() == b2


def test_only_what_changed_is_stored_again(recorded):
    repo, _ = recorded
    before, after = revision(repo, 2), revision(repo, 3)
    changed = {path for path in after.pointers if after.pointers[path] != before.pointers.get(path)}
    assert "cutout_cdn/2MASS/2MASS_H.fits" in changed
    assert not any(path.startswith("cutout_cdn") and "2MASS_H" not in path for path in changed)


def test_nonfinite_numbers_are_kept_in_valid_json(recorded, cases):
    repo, _ = recorded
    data = revision(repo, 4).dr_bytes
    document = json.loads(data, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    pointers = document["metadata"]["nonfinite"]
    wild = parse((cases / "2010H/g1_nan_inf/export.json").read_bytes())
    count = json.dumps(wild).count("NaN") + json.dumps(wild).count("Infinity")
    assert len(pointers) == count > 0

    def values(value):
        if isinstance(value, dict | list):
            for inner in value.values() if isinstance(value, dict) else value:
                yield from values(inner)
        elif isinstance(value, float) and not math.isfinite(value):
            yield repr(value)

    back = revision(repo, 4).dr.export.document
    assert sorted(values(back)) == sorted(values(wild))


def test_the_way_back_to_blast_is_exact(recorded, cases):
    repo, _ = recorded
    for case, number, new, _ in HISTORY:
        if new:
            wanted = parse((cases / "2010H" / case / "export.json").read_bytes())
            assert by_natural_order(revision(repo, number).dr.export.document) == by_natural_order(wanted)


def test_every_revision_brings_back_its_own_files(recorded, cases, tmp_path):
    repo, _ = recorded
    for case, number, new, _ in HISTORY:
        if new:
            DataRepo(repo).get(f"2010H@{number}", tmp_path / case)
            data = cases / "2010H" / case / "data"
            wanted = {p.relative_to(data).parts: p for p in data.rglob("*") if p.is_file()}
            for (root, _, *rest), source in wanted.items():
                assert (tmp_path / case / root).joinpath(*rest).read_bytes() == source.read_bytes()


def test_any_two_states_of_the_history_differ_as_their_revisions_do(recorded, cases):
    """Not only neighbours: what is equal to a third is equal to each other, and else differs both ways."""
    exports = [(cases / "2010H" / case / "export.json", number) for case, number, *_ in HISTORY]
    for (one, old), (other, new) in itertools.permutations(exports, 2):
        diff = compare_exports(one, other)
        assert diff.is_empty is (old == new), (one.parent.name, other.parent.name, diff.reason)


def test_a_transient_that_was_deleted_and_added_again(repo, cases):
    assert _record(repo, cases / "2010ag/a_first").revision == 0
    again = _record(repo, cases / "2010ag/b7_deleted_and_readded")
    assert (again.status, again.revision) == ("unchanged", 0)
    assert [f.change for f in again.files if not f.derived] == ["content-equal"]
    alias = _record(repo, cases / "2010ag/f1_alias_added")
    assert (alias.revision, alias.reason) == (1, "only labels changed: transient.aliases, host.aliases")


def test_a_transient_without_host(repo, cases):
    result = _record(repo, cases / "2010ai/a_first")
    assert (result.status, result.revision) == ("recorded", 0)
    assert revision(repo, 0, "2010ai").dr.export.document["host"] is None
    assert _record(repo, cases / "2010ai/a_first").status == "unchanged"


def test_a_change_of_schema_is_no_change(cases):
    old, new = (
        cases / "2010H" / case / "export.json" for case in ("h1_app_1.9.5", "h2_app_1.9.5_db_migrated_to_1.13.1")
    )
    assert compare_exports(old, new).is_empty
    assert compare_exports(new, old).is_empty
