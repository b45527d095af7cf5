import pytest

from blastgit.demo import small


@pytest.mark.parametrize(("new", "code"), [("2026dgt@0", 0), ("2026dgt@1", 1)])
def test_exit_code_as_in_diff(cli, library, new, code):
    assert cli("-C", library, "diff", "2026dgt@0", new).code == 0
    assert cli("-C", library, "diff", "2026dgt@0", new, "--exit-code").code == code


def test_the_point_first_then_files_then_values(cli, library):
    lines = cli("-C", library, "diff", "2026dgt@0", "2026dgt@1").out.splitlines()
    assert lines[0].startswith("2026dgt@0 -> 2026dgt@1: DES_z image changed; flux changed in DES_z by +3 %")
    assert "10 files" in lines
    assert any("cutout_cdn/DES/DES_z.fits" in line and "256 of 256 pixels" in line for line in lines)
    assert any("DES_z.flux  " in line and " uJy +3 %, +" in " ".join(line.split()) for line in lines)
    assert any("DES_z.magnitude  " in line and " mag -0.0321 mag, -" in " ".join(line.split()) for line in lines)
    [mass] = [line for line in lines if "sed/global.log_mass_50 " in line]
    assert " dex, " in mass
    assert mass.endswith(" sigma")
    assert "%" not in mass
    assert max(map(len, lines)) <= 120
    full = cli("-C", library, "diff", "2026dgt@0", "2026dgt@1", "--full").out.splitlines()
    assert len(full) > len(lines)
    assert not any(line.endswith("(--full)") for line in full)


def test_a_long_point_is_told_clause_by_clause(cli, repo, record, sample):
    record(repo, sample)
    record(repo, small("2010H"))
    lines = cli("-C", repo, "diff", "2026dgt", "2010H").out.splitlines()
    assert lines[0] == "2026dgt@0 -> 2010H@0:"
    assert lines[1].startswith("  transient changed in ra_deg, dec_deg")
    assert lines[2].endswith("images changed")
    assert "  the global and local SED results follow" in lines


def test_exports_need_no_repo(cli, states, tmp_path):
    paths = [state.write(tmp_path / str(n))[0] for n, state in enumerate(states)]
    said = cli("diff", paths[0], paths[1], "--exit-code")
    assert said.code == 0
    assert "no difference" in said.out
    assert f"only values were compared: an export ({paths[0]}) has no files" in said.out
    assert cli("diff", paths[0], paths[2], "--exit-code").code == 1


def test_a_file_that_is_not_there_is_not_taken_for_a_revision(cli, states, tmp_path):
    export, _ = states[0].write(tmp_path)
    said = cli("diff", export, tmp_path / "none.json")
    assert (said.code, "there is no file" in said.err) == (2, True)


def test_pictures(cli, library, states, tmp_path):
    said = cli("-C", library, "diff", "2026dgt@0", "2026dgt@1", "--pictures", tmp_path / "p.html")
    assert said.out.endswith(f"1 changed cutout drawn in {tmp_path}/p.html\n")
    assert (tmp_path / "p.html").is_file()
    assert cli("-C", library, "diff", "2026dgt@0", "2026dgt@1", "--pictures", tmp_path / "p.png").code == 2
    assert not (tmp_path / "p.png").exists()
    export, _ = states[0].write(tmp_path)
    assert cli("diff", export, export, "--pictures", tmp_path / "q.html").code == 2
    assert cli("-C", library, "diff", "2026dgt@0", export, "--pictures", tmp_path / "q.html").code == 2
    assert not (tmp_path / "q.html").exists()
