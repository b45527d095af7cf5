def test_the_history(cli, library):
    said = cli("-C", library, "log", "2026dgt").out
    latest, first = said.split("\n\n")
    assert latest.startswith("2026dgt@1  2026-06-03 10:00 UTC  v1.13.1  ")
    assert "\n    changed  cutout_cdn/DES/DES_z.fits\n" in latest
    assert first.startswith("2026dgt@0  2026-05-27 15:46 UTC  v1.12.0  ")
    assert first.endswith("  reproduced by v1.13.1, 2026-06-02 09:00 UTC\n")
    assert "DES_z.flux: " not in said
    assert "DES_z.flux: " in cli("-C", library, "log", "2026dgt", "--full").out


def test_an_unknown_transient(cli, library):
    said = cli("-C", library, "log", "2026dgs")
    assert said.code == 5
    assert "did you mean 2026dgt?" in said.err
