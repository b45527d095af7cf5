import shutil
import subprocess

import pytest

from blastgit.cli.main import VERBS

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_scripts_are_valid(cli, shell):
    said = cli("completion", shell)
    assert said.code == 0
    assert all(verb in said.out for verb in VERBS)
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=said.out, text=True, check=True)


def test_a_shell_nobody_knows(cli):
    assert cli("completion", "cmd").code == 2
