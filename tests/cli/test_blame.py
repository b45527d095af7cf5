def test_rows_in_one_line(cli, library):
    lines = cli("-C", library, "blame", "2026dgt").out.splitlines()
    assert "@1  2026-06-03  v1.13.1  cutout_cdn/DES/DES_z.fits" in lines
    assert "@0  2026-05-27  v1.12.0  cutout_cdn/DES/DES_g.fits" in lines
    assert any(line.startswith("@1  2026-06-03  v1.13.1  sed/global: ") for line in lines)


def test_one_field(cli, library):
    said = cli("-C", library, "blame", "2026dgt", "sed/global.log_mass_50").out
    assert said == "@1  2026-06-03  v1.13.1  sed/global.log_mass_50\n"
    assert cli("-C", library, "blame", "2026dgt", "nothing").code == 5
