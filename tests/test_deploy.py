"""The files of `deploy/`: every command parses, all that they refer to exists, and git is served as described."""

import os
import re
import shlex
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from blastgit.cli.main import build_parser
from blastgit.repository.hooks import install_hooks
from tests.waiting import answers, wait_until

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
MANIFESTS = sorted((DEPLOY / "kustomize").glob("*.yaml"))
SECRETS = {"blastgit-store", "blastgit-store-read", "blastgit-htpasswd", "blast"}


def documents() -> list[dict[str, Any]]:
    return [each for path in MANIFESTS for each in yaml.safe_load_all(path.read_text()) if each]


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for each in documents():
        if each["kind"] == "Deployment":
            yield each["metadata"]["name"], each["spec"]["template"]["spec"]
        if each["kind"] == "CronJob":
            yield each["metadata"]["name"], each["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod.get("initContainers", ()), *pod["containers"]]


def values(value: Any, key: str) -> Iterator[Any]:
    """Yield what stands under a key, wherever it is."""
    if isinstance(value, dict):
        for name, below in value.items():
            if name == key:
                yield below
            yield from values(below, key)
    elif isinstance(value, list):
        for below in value:
            yield from values(below, key)


def commands(words: list[str]) -> list[list[str]]:
    """Return the calls of blastgit in a command, without their program."""
    if words[:2] == ["sh", "-c"]:
        calls = re.findall(r"blastgit ([a-z][^;&|]*)", words[2])
        return [shlex.split(call.replace("$$", "$")) for call in calls]
    return [words[1:]] if words[0] == "blastgit" else []


def parses(words: list[str]) -> None:
    known = [re.sub(r"\$\(\w+\)|\$\{\w+:-([^}]*)\}", lambda match: match[1] or "http://x", word) for word in words]
    build_parser().parse_args(known)


def test_the_manifests_refer_to_what_is_there() -> None:
    listed = yaml.safe_load((DEPLOY / "kustomize/kustomization.yaml").read_text())
    assert sorted(listed["resources"]) == sorted({path.name for path in MANIFESTS} - {"kustomization.yaml"})
    maps = {each["name"] for each in listed["configMapGenerator"]}
    accounts = {each["metadata"]["name"] for each in documents() if each["kind"] == "ServiceAccount"}
    claims = {each["metadata"]["name"] for each in documents() if each["kind"] == "PersistentVolumeClaim"}
    for _, pod in pods():
        assert pod["serviceAccountName"] in accounts
        assert {each["name"] for each in values(pod, "secretRef")} <= SECRETS
        assert {each["name"] for each in values(pod, "secretKeyRef")} <= SECRETS
        assert set(values(pod, "secretName")) <= SECRETS
        assert {each["name"] for each in values(pod, "configMapRef")} <= maps
        assert set(values(pod, "claimName")) <= claims
        volumes = {each["name"] for each in pod["volumes"]}
        assert {each["name"] for one in containers(pod) for each in one["volumeMounts"]} <= volumes
        assert {each["image"] for each in containers(pod)} <= {each["name"] for each in listed["images"]}
    for each in documents():
        if each["kind"] == "Service":
            assert each["spec"]["selector"]["app"] in dict(pods())


def test_no_pod_may_more_than_it_needs() -> None:
    for name, pod in pods():
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["runAsUser"] == 65534, name
        assert pod["automountServiceAccountToken"] is False, name
        for each in containers(pod):
            assert each["securityContext"]["readOnlyRootFilesystem"] is True, name
            assert each["securityContext"]["allowPrivilegeEscalation"] is False, name
            assert each["securityContext"]["capabilities"] == {"drop": ["ALL"]}, name
    writers = {name for name, pod in pods() if "blastgit-store" in str(pod).replace("blastgit-store-read", "")}
    assert writers == {"git", "revisions", "maintain"}


def test_every_command_and_every_probe_is_one() -> None:
    found = []
    for _, pod in pods():
        for each in containers(pod):
            words = each.get("command", ["blastgit", *each.get("args", ())])
            found += commands(words)
            assert {probe["path"] for probe in values(each, "httpGet")} <= {"/healthz", "/git/blast.git/HEAD"}
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    for service in compose["services"].values():
        program = ["blastgit"] if service["image"] == "blastgit" else []
        words = [*service.get("entrypoint", program), *service["command"]]
        found += commands(words)
    assert {words[0] for words in found} == {"init", "serve", "maintain", "verify"}
    for words in found:
        parses(words)


def test_compose_refers_to_what_is_there() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    for name, service in compose["services"].items():
        for volume in service["volumes"]:
            assert volume.partition(":")[0] in compose["volumes"], name
        assert set(service.get("secrets", ())) <= compose["secrets"].keys(), name
        assert set(service.get("depends_on", {})) <= compose["services"].keys(), name
        if service["image"] == "blastgit":
            assert (service["user"], service["read_only"], service["cap_drop"]) == ("65534:65534", True, ["ALL"]), name
        for file in service.get("env_file", ()):
            assert (DEPLOY / f"{file}.example").exists() or file == "blast.env", name


def test_the_images_copy_what_is_there_and_run_as_nobody() -> None:
    for file in ("Containerfile", "Containerfile.worker"):
        text = (DEPLOY / file).read_text()
        for source in re.findall(r"^COPY (?!--from)(\S+) ", text, re.MULTILINE):
            assert (DEPLOY.parent / source).exists(), source
    assert "USER 65534:65534" in (DEPLOY / "Containerfile").read_text()


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kustomize_builds_it() -> None:
    done = subprocess.run(["kubectl", "kustomize", DEPLOY / "kustomize"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    kinds = sorted(each["kind"] for each in yaml.safe_load_all(done.stdout))
    assert kinds.count("Deployment") == 3


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("lighttpd") is None, reason="lighttpd is not installed")
def test_git_is_served_and_the_hook_knows_who_pushes(repo: Path, tmp_path: Path, run: Callable[..., str]) -> None:
    install_hooks(repo)
    password = run("openssl", "passwd", "-apr1", "secret").strip()
    (tmp_path / "htpasswd").write_text(f"alice:{password}\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        "BLASTGIT_REPOS": str(repo.parent), "BLASTGIT_PORT": str(port), "PATH": os.environ["PATH"],
        "BLASTGIT_HTPASSWD": str(tmp_path / "htpasswd"),
    }  # fmt: skip
    server = subprocess.Popen(["lighttpd", "-D", "-f", DEPLOY / "lighttpd.conf"], env=environment)
    try:
        wait_until(lambda: answers(port))
        url = f"http://127.0.0.1:{port}/git/{repo.name}"
        run("git", "clone", "-q", url, tmp_path / "clone")
        run("git", "commit", "-q", "--allow-empty", "-m", "Nothing", cwd=tmp_path / "clone")
        push = ["git", "-C", tmp_path / "clone", "push", "-q"]
        asked = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
        denied = subprocess.run([*push, url, "HEAD:refs/heads/main"], capture_output=True, env=asked, check=False)
        assert denied.returncode != 0
        run(*push, url.replace("//", "//alice:secret@"), "HEAD:refs/heads/main")
        pushes = repo / "blastgit/pushes.jsonl"  # the push is noted when its refs have moved
        wait_until(lambda: pushes.exists() and '"who": "alice"' in pushes.read_text())
    finally:
        server.terminate()
        server.wait(10)
