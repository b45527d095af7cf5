def test_the_document_comes_byte_for_byte(process, library, run):
    said = process("-C", library, "show", "2026dgt@0")
    assert said.out == run("git", "-C", library, "show", "2026dgt/0:2026dgt.json")


def test_values_rows_and_files(cli, library):
    assert cli("-C", library, "show", "2026dgt:transient.name").out == "2026dgt\n"
    assert "host.redshift  " in cli("-C", library, "show", "2026dgt:host").out
    assert cli("-C", library, "show", "2026dgt:cutout_cdn/DES/DES_z.fits").out.startswith("5.8 kB  md5 ")
    assert '"dataset_version": 1' in cli("-C", library, "show", "2026dgt:metadata").out


def test_an_unknown_field(cli, library):
    said = cli("-C", library, "show", "2026dgt:host.redshif")
    assert (said.code, said.out) == (5, "")
    assert "did you mean host.redshift" in said.err
