"""The Science-Digest: one hash of everything that must agree for two states to be the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from blastgit.revision.document import canonical
from blastgit.revision.normalise import NaturalForm
from blastgit.revision.rules import Rules


def science_digest(form: NaturalForm, sha256: Mapping[str, str], rules: Rules) -> str:
    """Return the digest that two states share only if every value and every file's bytes are the same.

    Args:
        form: The natural form of the state.
        sha256: The SHA-256 of each of its files, in hex, by path.
        rules: The rules by which the form was made.
    """
    files = canonical({path: digest for path, digest in sha256.items() if not rules.is_derived(path)})
    text = b'{"files":' + files + b',"values":' + form.canonical + b"}"
    return f"sha256:{hashlib.sha256(text).hexdigest()}"
