"""The index has metrics and attachments, including superseded ones."""

import pytest

from blastgit import DataRepo

pytestmark = pytest.mark.slow

pytest.importorskip("duckdb", reason="the index needs duckdb")
pytest.importorskip("pyarrow", reason="the index needs pyarrow")


def test_metrics_and_attachments_are_tables(history, tmp_path):
    (tmp_path / "plot.png").write_bytes(b"\x89PNG")
    repo = DataRepo(history)
    repo.metrics.put("2026dgt@1", {"rms": (1.0, "mag"), "converged": True})
    repo.metrics.put("2026dgt@1", {"rms": (2.0, "mag")})
    repo.attachments.add("2026dgt@1", tmp_path / "plot.png", type="qa_plot")
    with repo.index.open() as index:
        metrics = index.query(
            "SELECT transient, revision, metric, amount, unit, state FROM metrics ORDER BY metric, amount"
        )
        attached = index.query("SELECT transient, revision, kind, file_name, bytes FROM attachments")
    assert metrics.rows == [
        ("2026dgt", 1, "converged", 1.0, None, "current"),
        ("2026dgt", 1, "rms", 1.0, "mag", "superseded"),
        ("2026dgt", 1, "rms", 2.0, "mag", "current"),
    ]
    assert attached.rows == [("2026dgt", 1, "qa_plot", "plot.png", 4)]
    repo.metrics.put("2026dgt@1", {"rms": (3.0, "mag")})
    with repo.index.open() as index:
        assert index.query("SELECT amount FROM metrics WHERE metric = 'rms' AND state = 'current'").rows == [(3.0,)]
