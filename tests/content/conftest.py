from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real() -> Path:
    """Files of a real Blast instance, if they lie beside the checkout."""
    folder = Path(__file__).resolve().parents[2].parent / "shared/blast/cases"
    if not folder.is_dir():
        pytest.skip(f"real Blast files are not at {folder}")
    return folder / "2010H"
