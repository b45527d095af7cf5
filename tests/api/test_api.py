import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import blastgit
from blastgit import DataRepo
from blastgit import errors as errors_module
from blastgit.api.verb import Verb
from blastgit.errors import BlastgitError

PACKAGE = Path(blastgit.__file__).parent
ERRORS = [
    value for value in vars(errors_module).values() if inspect.isclass(value) and issubclass(value, BlastgitError)
]


def test_all_is_what_is_public():
    assert sorted(blastgit.__all__) == ["BlastgitError", "DataRepo", "__version__", "compare_exports"]
    for name in blastgit.__all__:
        assert getattr(blastgit, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = blastgit.nothing


def public(thing):
    return {name: value for name, value in vars(thing).items() if not name.startswith("_")}


def test_every_method_is_documented_and_typed():
    for name in public(DataRepo):
        value = inspect.getattr_static(DataRepo, name)
        value = getattr(DataRepo, name) if isinstance(value, Verb) else value
        function = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
        assert inspect.getdoc(function), name
        signature = inspect.signature(function)
        assert signature.return_annotation is not inspect.Signature.empty, name
        for parameter in list(signature.parameters.values())[1:]:
            assert parameter.annotation is not inspect.Parameter.empty, f"{name}({parameter.name})"


def test_every_verb_about_data_is_a_method():
    for verb in ("init", "record", "list", "log", "show", "diff", "blame", "get", "verify"):
        assert callable(getattr(DataRepo, verb))


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_says_what_it_is_for(error):
    assert error.__doc__
    assert error.kind
    assert error.exit_code not in (0, 3, 130)


def test_kinds_are_told_apart():
    assert len({error.kind for error in ERRORS}) == len(ERRORS)


@pytest.mark.parametrize(
    "code", ["import blastgit", "from blastgit.cli import main; main(['--version'])", "import blastgit.cli.main"]
)
def test_starting_loads_nothing_heavy(code):
    heavy = "pygit2", "numpy", "dvc", "h5py", "PIL", "rich", "yaml", "astropy"
    program = f"import sys\ntry:\n    {code}\nexcept SystemExit: pass\nprint(*sorted(set({heavy}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    )
    assert done.stdout.splitlines()[-1] == ""


def test_recording_and_reading_load_no_dvc(sample, tmp_path):
    export, data = sample.write(tmp_path / "in")
    program = f"""
import sys
from pathlib import Path
from blastgit import DataRepo
repo = DataRepo.init({str(tmp_path / "repo")!r})
repo.record("2026dgt", Path({str(export)!r}), Path({str(data)!r}))
repo.get("2026dgt@0", {str(tmp_path / "out")!r})
print(*sorted({{"dvc", "dvc_data", "astropy", "rich"}} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    )
    assert done.stdout == "\n"


def test_nothing_below_the_command_line_prints():
    talkers = {PACKAGE / "cli", PACKAGE / "demo"}
    for path in PACKAGE.rglob("*.py"):
        if not talkers & set(path.parents):
            calls = [node.func for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
            assert not [call for call in calls if isinstance(call, ast.Name) and call.id == "print"], path
