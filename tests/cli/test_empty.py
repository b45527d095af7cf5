"""Every list says in a sentence that it is empty, and as JSON is an empty one."""

import pytest


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("list", "no transient yet"),
        ("list r/*", "no reference yet"),
        ("run list", "no run yet"),
        ("run list w*", "no run is called w*"),
        ("collection list", "no collection yet"),
        ("collection list --type RUN", "no RUN collection yet"),
        ("collection list w*", "no collection is called w*"),
        ("collection releases", "no release yet"),
        ("collection releases w*", "no release is called w*"),
        ("query list", "no query is saved yet"),
        ("variant list", "no component has variants: `variants:` in blastgit.yaml on main declares them"),
        ("variant log", "neither variants nor defaults were ever set"),
        ("notes", "no annotations"),
        ("status", "no run is in progress"),
        ("locks", "nothing is locked"),
        ("orphans", "0 orphans"),
    ],
)
def test_an_empty_list_says_so(cli, repo, words: str, sentence: str) -> None:
    assert cli("-C", repo, *words.split()).out == f"{sentence}\n"
    if words != "notes":  # which is an object
        assert cli("-C", repo, *words.split(), "--json").out == "[]\n"
