"""The one process that writes for the web interface, in the name of the user who logged in, one annotation at a time.

In blastgit, as in a hook, the user is determined by the environment of the process. A server has many threads but one
environment, so it passes annotations to this process, which sets the user, lets the library check them against the
policy of main as for everybody, writes them in one commit, and updates the index before it answers.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blastgit import errors
from blastgit.errors import BlastgitError, RepoError

_IDENTITIES = ("GL_USER", "GL_USERNAME", "GITEA_PUSHER_NAME", "GITLAB_USER_LOGIN", "SSH_USER", "GATEWAY_INTERFACE")


class Writer:
    """Passes annotations to the writing process, one at a time."""

    def __init__(self, repo: Path) -> None:
        """Write to the data repo at `repo`; the process is started with the first annotation."""
        self._repo = repo
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def write(self, user: str, said: Mapping[str, Any]) -> dict[str, Any]:
        """Write one annotation, and return its ids and the commit.

        Args:
            user: The author of the annotation.
            said: `subjects`, and the content of the annotation: `comment`, `flag`, `tags`, `link`, `attach` (the path
                of a file), `supersedes`, `retract`.

        Raises:
            BlastgitError: The annotation is invalid, or the policy does not allow it.
        """
        with self._lock:
            answer = self._ask({"user": user, **said})
        if "error" in answer:
            raise _error(answer["error"])
        return answer

    def close(self) -> None:
        """End the process."""
        with self._lock:
            if self._process is not None and self._process.stdin is not None:
                self._process.stdin.close()
                self._process.wait(timeout=30)
                if self._process.stdout is not None:
                    self._process.stdout.close()
            self._process = None

    def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = ""
        if not line:
            process.kill()
            process.wait()
            self._process = None
            raise RepoError("the annotation may not have been written: check before you add it again")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "blastgit.serve.writer", str(self._repo)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                start_new_session=True,  # Ctrl-C is for the server, which ends this process between annotations
            )
        return self._process


def _error(said: Mapping[str, str]) -> BlastgitError:
    kinds = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, BlastgitError)]
    kind = next((each for each in kinds if each.kind == said["kind"]), RepoError)
    return kind(said["message"])


def serve(repo: Path) -> None:
    """Answer requests, one per line, until the input ends."""
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = _write(repo, request)
        except BlastgitError as error:
            answer = {"error": {"kind": error.kind, "message": str(error)}}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _write(repo: Path, request: Mapping[str, Any]) -> dict[str, Any]:
    from blastgit.annotations.annotation import AnnotationBody
    from blastgit.api.repo import DataRepo

    _become(str(request["user"]))
    opened = DataRepo(repo)
    opened.annotations.policy.check("annotator", str(request["user"]))  # also where no hooks are installed
    body = AnnotationBody(
        comment=request.get("comment", ""), flag=request.get("flag", ""), tags=tuple(request.get("tags", ())),
        link=request.get("link", ""), supersedes=tuple(request.get("supersedes", ())),
        retract=bool(request.get("retract")),
    )  # fmt: skip
    attach = request.get("attach")
    done = opened.annotations.add(request.get("subjects", ()), body, attach=Path(attach) if attach else None)
    opened.index.update()
    return done.to_json()


def _become(user: str) -> None:
    """Set the user for the policy, the annotation and git, which gets no real e-mail address."""
    for name in _IDENTITIES:
        os.environ.pop(name, None)
    mail = user if "@" in user else f"{re.sub('[^A-Za-z0-9._+-]', '-', user)}@users.invalid"
    names = re.sub(r"[<>\n]", "", user)
    os.environ.update(REMOTE_USER=user, BLASTGIT_USER=user)
    for role in ("AUTHOR", "COMMITTER"):
        os.environ.update({f"GIT_{role}_NAME": names, f"GIT_{role}_EMAIL": mail})


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
