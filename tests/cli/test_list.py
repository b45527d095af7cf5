def test_a_table(cli, library):
    head, row = cli("-C", library, "list").out.splitlines()
    assert head.split()[:2] == ["transient", "revision"]
    assert row.split()[:6] == ["2026dgt", "1", "2026-06-03", "10:00", "v1.13.1", "15"]
    assert row.endswith("complete")


def test_nothing_to_list(cli, library, repo):
    assert cli("-C", library, "list", "2010*").out == "no transient is named 2010*\n"
    assert cli("-C", repo, "list").out == "no transient yet\n"
    assert cli("-C", repo, "list", "--json").out == "[]\n"
