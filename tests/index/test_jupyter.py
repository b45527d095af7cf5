"""The index in a real Jupyter kernel, with and without ipywidgets: DuckDB draws a progress bar there, or refuses to."""

import queue
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from blastgit import DataRepo

pytestmark = pytest.mark.slow

manager = pytest.importorskip("jupyter_client.manager")
pytest.importorskip("ipykernel")
pytest.importorskip("ipywidgets")

ASK = """
from blastgit import DataRepo
repo = DataRepo({repo!r})
print([row[:2] for row in repo.find()])
with repo.index.open() as db:
    print(db.query("SELECT count(*) FROM revisions").rows, db.arrow("SELECT 1 AS one").num_rows)
print(len(repo.index.parquet({folder!r})) > 5)
print(repo.index.update(rebuild=True).revisions)
"""
WITHOUT = "import sys; sys.modules['ipywidgets'] = None\n"


@pytest.fixture
def run_cell(hermetic: Path) -> Iterator[object]:
    """Run the text of a cell in a kernel of this Python, and return what it printed and the error that ended it."""
    kernels = manager.KernelManager(transport="ipc", ip=str(hermetic / "k"))
    kernels.kernel_spec.argv[0] = sys.executable
    kernels.start_kernel()
    client = kernels.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)

    def call(text: str) -> tuple[str, str]:
        sent, printed, error = client.execute(text), "", ""
        while True:
            try:
                message = client.get_iopub_msg(timeout=120)
            except queue.Empty:
                return printed, "the kernel does not answer"
            content = message["content"]
            if message["msg_type"] == "stream":
                printed += content["text"]
            elif message["msg_type"] == "error":
                error = f"{content['ename']}: {content['evalue']}"
            elif message["msg_type"] == "display_data":
                error = f"something was drawn: {content['data']}"
            if (
                message["msg_type"] == "status"
                and content["execution_state"] == "idle"
                and message["parent_header"].get("msg_id") == sent
            ):
                return printed, error

    yield call
    client.stop_channels()
    kernels.shutdown_kernel(now=True)


@pytest.mark.parametrize("before", ["", WITHOUT], ids=["with ipywidgets", "without"])
def test_the_index_works_in_a_kernel(run_cell, history, tmp_path, before):
    printed, error = run_cell(before + ASK.format(repo=str(history), folder=str(tmp_path / "tables")))
    assert error == ""
    assert printed.splitlines()[:4] == ["[('2026dgt', 1)]", "[(2,)] 1", "True", "2"]
    assert DataRepo(history).index.path.exists()
