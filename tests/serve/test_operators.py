"""The examples for operators in docs/web.md, taken literally: nginx in front of the server, and the systemd unit."""

import re
import shutil
import socket
import ssl
import subprocess
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

from tests.serve.conftest import CHECKOUT, serving
from tests.waiting import answers, wait_until

pytestmark = pytest.mark.slow

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
MAIN = """daemon off; pid {0}/pid; error_log {0}/error.log; events {{}}
http {{ access_log off; client_body_temp_path {0}/a; proxy_temp_path {0}/b; fastcgi_temp_path {0}/c;
uwsgi_temp_path {0}/d; scgi_temp_path {0}/e; include {0}/site.conf; }}
"""


def example(language):
    text = (CHECKOUT / "docs/web.md").read_text(encoding="utf-8")
    return re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)[1]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


@contextmanager
def behind_nginx(url, folder):
    """Yield a function that asks nginx for an address, as a stranger's client."""
    port, key, certificate = free_port(), folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=data.example.org", "-keyout", key,
         "-out", certificate], check=True, capture_output=True,
    )  # fmt: skip
    text = example("nginx").replace("listen 443", f"listen 127.0.0.1:{port}").replace("http://127.0.0.1:8080", url)
    text = text.replace("/etc/ssl/data.example.org.pem", str(certificate))
    (folder / "site.conf").write_text(text.replace("/etc/ssl/data.example.org.key", str(key)))
    (folder / "nginx.conf").write_text(MAIN.format(folder))
    trusting = ssl._create_unverified_context()  # the certificate was made above

    def ask(path, **headers):
        request = urllib.request.Request(
            f"https://127.0.0.1:{port}{path}", headers={"Host": "data.example.org", **headers}
        )
        try:
            return urllib.request.urlopen(request, context=trusting, timeout=60).read().decode()
        except urllib.error.HTTPError as error:
            return error.code

    with subprocess.Popen([NGINX, "-c", folder / "nginx.conf"], stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: answers(port))
            yield ask
        finally:
            process.terminate()


@pytest.mark.skipif(NGINX is None, reason="there is no nginx: apt-get install nginx-light")
def test_nginx_as_in_the_example_passes_everything_on_but_who_strangers_claim_to_be(shelf, tmp_path):
    with (
        serving(shelf, "--proxy", "127.0.0.1", "--clone-url", "https://data.example.org/blast.git") as url,
        behind_nginx(url, tmp_path) as ask,
    ):
        page = ask("/t/2026dgt", **{"X-Remote-User": "mallory"})
        assert "2026dgt" in page
        assert "mallory" not in page
        assert "https://data.example.org/t/2026dgt@1" in ask("/feed")
        assert "https://data.example.org/tap" in ask("/tap/capabilities")
        assert ask("/metrics") == 403
        assert ask("/healthz") == "ok\n"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd")
def test_systemd_takes_the_unit_of_the_example(tmp_path):
    unit = tmp_path / "blastgit.service"
    unit.write_text(example("ini").replace("/opt/blastgit/bin/blastgit", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
