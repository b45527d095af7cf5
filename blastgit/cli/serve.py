"""`blastgit serve`."""

from __future__ import annotations

import argparse
import os
import sys
from ipaddress import ip_address
from typing import TYPE_CHECKING

from blastgit.cli.parts.listening import add_place, is_url, prepare, public_url
from blastgit.errors import UsageError

if TYPE_CHECKING:
    from blastgit.serve.options import Login


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add_place(parser, 10.0, "https://data.example.org")
    parser.add_argument("--clone-url", metavar="URL", help="what people clone the data repo from")
    parser.add_argument(
        "--threads", type=int, default=12, metavar="N", help="number of concurrent requests (%(default)s)"
    )
    group = parser.add_argument_group("who may write (annotations only; without these options, nobody)")
    add = group.add_argument
    add("--as", dest="user", metavar="USER", help="treat everybody as USER: for your own machine, on loopback only")
    words = "trust the header --proxy-header of requests that come from this address"
    add("--proxy", metavar="ADDRESS", help=words)
    add("--proxy-header", metavar="NAME", default="X-Remote-User", help="the header with the user's name (%(default)s)")
    words = "log in with this OpenID Connect provider; the secret is in BLASTGIT_OIDC_SECRET"
    add("--oidc", metavar="ISSUER", help=words)
    add("--oidc-client", metavar="ID", default="", help="the id of this server at the provider")
    words = "the claim that names the user (%(default)s)"
    add("--oidc-claim", metavar="NAME", default="preferred_username", help=words)
    add("--writes", type=int, default=10, metavar="N", help="annotations per user and minute (%(default)s)")
    parser.epilog = """\
Pages are below /, the TAP service is at /tap, files are below /files. Ctrl-C stops the server. See docs/web.md.
"""


def run(options: argparse.Namespace) -> int:
    """Serve."""
    from blastgit.serve.options import ServeOptions
    from blastgit.serve.server import need_libraries, serving

    if not 1 <= options.threads <= 256:
        raise UsageError("--threads takes a number from 1 to 256")
    url, login = public_url(options), _login(options)
    need_libraries()
    path, index = prepare(options)
    chosen = ServeOptions(
        options.host, options.port, url, options.refresh, options.threads, options.clone_url, login, options.writes
    )
    with serving(path, index, chosen) as web:
        print(f"blastgit is at {web.url}", flush=True)
        web.run()
    print("blastgit: the server has ended", file=sys.stderr)
    return 0


def _login(options: argparse.Namespace) -> Login:
    """Return how users log in.

    Raises:
        UsageError: The options would let in everybody, or nobody.
    """
    from blastgit.annotations.annotation import check_user
    from blastgit.serve.options import Login

    if options.user is not None:
        check_user(options.user)
        if options.host not in ("127.0.0.1", "::1", "localhost"):
            raise UsageError("--as logs in everybody who reaches the server: it only works with a loopback --host")
        if options.proxy or options.oidc:
            raise UsageError("--as logs in everybody, so nobody would use --proxy or --oidc: give one of them")
    if options.proxy is not None:
        try:
            ip_address(options.proxy)
        except ValueError:
            raise UsageError(f"--proxy takes an address such as 127.0.0.1, not {options.proxy!r}") from None
    if options.oidc is not None and not (is_url(options.oidc) and options.oidc_client):
        raise UsageError("--oidc takes the URL of the provider, and --oidc-client the id of this server there")
    secret = os.environ.pop("BLASTGIT_OIDC_SECRET", "")  # no child process needs it
    return Login(
        options.user, options.proxy, options.proxy_header, options.oidc, options.oidc_client, secret, options.oidc_claim
    )
