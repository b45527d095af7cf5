import pytest

from benchmarks.cards import tally
from blastgit.content import Tolerance
from blastgit.content.cards import changes, parse

T = Tolerance()


def header(*cards: str) -> bytes:
    return "".join(f"{card:80}" for card in (*cards, "END")).encode("latin-1")


def differ(old: str | tuple[str, ...], new: str | tuple[str, ...]) -> bool:
    sides = (parse(header(*([side] if isinstance(side, str) else side))) for side in (old, new))
    return bool(list(changes(*sides, T)))


def test_random_pairs_are_judged_as_an_independent_reading_and_astropy_judge_them() -> None:
    verdicts, wrong = tally(3000)
    assert wrong == []
    assert min(verdicts["equal"], verdicts["different"]) > 500


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("KEY     = 5", "KEY     =                    5 / five"),
        ("KEY     = 5", "KEY     = +05"),
        ("KEY     = 5", "KEY     = 5.0"),
        ("KEY     = -0", "KEY     = 0."),
        ("KEY     = 1.5E3", "KEY     = 1500."),
        ("KEY     = 1.5D3", "KEY     = .15E+04"),
        ("KEY     = 1E400", "KEY     = 10E399"),
        ("KEY     = 9007199254740993", "KEY     = 9007199254740993.0"),
        ("KEY     = 30.0", "KEY     = 30.000000000000004"),
        ("KEY     = 'a  '", "KEY     = 'a' / b"),
        ("KEY     = 'it''s'", "KEY     =   'it''s     '/"),
        ("KEY     = (1, 2)", "KEY     = ( 1.0,2 )"),
        ("KEY     =", "KEY     =      / undefined"),
        ("HIERARCH ESO DET = 5", "HIERARCH  ESO  DET=5.0 / x"),
        (("KEY     = 'ab&'", "CONTINUE  'cd' / x"), "KEY     = 'abcd'"),
        (("KEY     = 'a  &'", "CONTINUE  '&'", "CONTINUE  'b '"), "KEY     = 'a  b'"),
        (("HIERARCH ESO A = 'ab&'", "CONTINUE  'cd'"), "HIERARCH ESO A = 'abcd'"),
        (("A       = 1", "", "B       = 2"), ("B       = 2", "A       = 1")),
        ("KEY     = T", "KEY     =                    T / x"),
    ],
)
def test_spellings_of_one_value_are_equal(old: str | tuple[str, ...], new: str | tuple[str, ...]) -> None:
    assert not differ(old, new)
    assert not differ(new, old)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # commentary has no value, whatever its text looks like
        ("COMMENT = 3 / flat A", "COMMENT = 3 / flat B"),
        ("HISTORY = 'a' / flat A", "HISTORY = 'a' / flat B"),
        ("        = 3 / flat A", "        = 3 / flat B"),
        ("COMMENT = 5", "COMMENT = 5.0"),
        # what is no value counts as a whole
        ("KEY     = 'it's / flat A", "KEY     = 'it's / flat B"),
        ("KEY     = 'open / flat A", "KEY     = 'open / flat B"),
        ("KEY     = flat/A", "KEY     = flat/B"),
        ("KEY     = 'a' b", "KEY     = 'a' c"),
        ("KEY     = 5 6", "KEY     = 5 7"),
        ("KEY     = 1e5 / a", "KEY     = 1e5 / b"),
        ("KEY     = T / a", "KEY     = TRUE / a"),
        ("KEY     = (1,2 / a", "KEY     = (1,2 / b"),
        ("KEY     =5", "KEY     = 5"),
        ("KEY       5", "KEY     = 5"),
        # a value and its text
        ("KEY     = 5", "KEY     = '5'"),
        ("KEY     = T", "KEY     = 'T'"),
        ("KEY     = T", "KEY     = 1"),
        ("KEY     =", "KEY     = ''"),
        ("KEY     = (1, 2)", "KEY     = '(1, 2)'"),
        ("KEY     = (1, 0)", "KEY     = 1"),
        ("KEY     = ''", "KEY     = ' '"),
        ("KEY     = ' a'", "KEY     = 'a'"),
        ("KEY     = 'a'", "KEY     = 'A'"),
        # numbers that no double tells apart
        ("KEY     = 9007199254740993", "KEY     = 9007199254740992"),
        ("KEY     = 9007199254740993", "KEY     = 9007199254740992.0"),
        ("KEY     = 12345678901234567890123", "KEY     = 12345678901234567890124"),
        ("KEY     = 1E400", "KEY     = 2E400"),
        ("KEY     = 1E-400", "KEY     = 2E-400"),
        ("KEY     = 1E-400", "KEY     = 0.0"),
        ("KEY     = 1E99999999999999999999", "KEY     = 2E99999999999999999999"),
        ("KEY     = (1E400, 1)", "KEY     = (2E400, 1)"),
        # keywords
        ("HIERARCH ESO KEY = 5", "KEY     = 5"),
        ("HIERARCH KEY = 5", "KEY     = 5"),
        ("HIERARCHESO KEY = 5", "HIERARCH ESO KEY = 5"),
        ("HIERARCH ESO A = 5", "HIERARCH ESO B = 5"),
        ("HIERARCH flat A = 5 = a", "HIERARCH flat A = 5 = b"),
        ("key     = 5", "KEY     = 5"),
        # records: texts by the standard, which alone says what is equal
        ("DP1     = 'NAXIS: 2'", "DP1     = 'NAXIS: 3'"),
        ("DP1     = 'AXIS.1: 1'", "DP1     = 'AXIS.2: 1'"),
        # long strings
        (("KEY     = 'ab&'", "CONTINUE  'cd'"), ("KEY     = 'ab&'", "CONTINUE  'ce'")),
        (("KEY     = 'ab&'", "CONTINUE  'cd'"), ("KEY     = 'ab&'", "X       = 1", "CONTINUE  'cd'")),
        (("KEY     = 'ab&'", "CONTINUE = 'cd' / a"), ("KEY     = 'ab&'", "CONTINUE = 'cd' / b")),
        (("KEY     = 'ab&'", "CONTINUE  cd / a"), ("KEY     = 'ab&'", "CONTINUE  cd / b")),
        ("KEY     = 'ab&'", "KEY     = 'ab'"),
    ],
)
def test_values_that_differ_are_never_equal(old: str | tuple[str, ...], new: str | tuple[str, ...]) -> None:
    assert differ(old, new)
    assert differ(new, old)
    sides = [parse(header(*([side] if isinstance(side, str) else side))) for side in (old, new)]
    assert all(change.shown[0] != change.shown[1] for change in changes(*sides, T))


def test_each_change_is_shown_as_fits_writes_it() -> None:
    old = parse(header("A       = 1234", "B       = 'SN Ia'", "C       = 1E400", "D       =", "E       = 5"))
    new = parse(header("A       = '1234'", "B       = 'SN Ib'", "C       = '1E400'", "D       = ''", "COMMENT x"))
    assert [str(change) for change in changes(old, new, T)] == [
        "A: 1234 -> '1234'",
        "B: 'SN Ia' -> 'SN Ib'",
        "C: 1E400 -> '1E400'",
        "D: undefined -> ''",
        "E: 5 removed",
        'COMMENT: "x" added',
    ]
