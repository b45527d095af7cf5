"""Check that the store has the contents of a push: without reading them, and with few queries."""

from __future__ import annotations

from collections.abc import Mapping

from blastgit.errors import Denied
from blastgit.store.base import Store
from blastgit.store.pointer import Pointer

_SHOWN = 3


def check_contents(store: Store, wanted: Mapping[Pointer, str]) -> None:
    """Check that a store has every content in the right size.

    Args:
        store: The store.
        wanted: Each pointer and its path.

    Raises:
        Denied: Some are missing or of another size; the error says how to provide them.
        StoreError: The store cannot be queried.
    """
    for name in sorted({pointer.remote for pointer in wanted}):
        _check_in(store.named(name), {pointer: where for pointer, where in wanted.items() if pointer.remote == name})


def _check_in(store: Store, wanted: Mapping[Pointer, str]) -> None:
    sizes = store.sizes({pointer.md5 for pointer in wanted})
    lacking = sorted(where for pointer, where in wanted.items() if pointer.md5 not in sizes)
    if lacking:
        more = f" and {len(lacking) - _SHOWN} more" if len(lacking) > _SHOWN else ""
        raise Denied(
            f"the store {store.url} lacks the content of {', '.join(lacking[:_SHOWN])}{more}: bring contents first "
            "(`dvc push`, or record with blastgit), then push"
        )
    for pointer, where in wanted.items():
        size = sizes[pointer.md5]
        if size not in (pointer.size, None):
            raise Denied(
                f"{where} should have {pointer.size:,} bytes, and the store {store.url} holds {size:,} under its MD5: "
                "run `blastgit verify`"
            )
