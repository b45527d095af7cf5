"""The options of the web interface, which the operator gives on the command line."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Login:
    """How users log in. With none of these, nobody can write.

    Attributes:
        user: Everybody who reaches this server is this user; for one person's own machine, on loopback only.
        proxy: The address of the reverse proxy whose header names the user.
        header: The name of that header.
        issuer: The URL of an OpenID Connect provider.
        client_id: The identifier of this server at the provider.
        client_secret: The secret for that identifier; it comes from the environment, never from the command line.
        claim: The claim that holds the user's name.
    """

    user: str | None = None
    proxy: str | None = None
    header: str = "X-Remote-User"
    issuer: str | None = None
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    claim: str = "preferred_username"

    @property
    def is_open(self) -> bool:
        """Whether anybody can log in at all, so that forms are shown."""
        return bool(self.user or self.proxy or self.issuer)


@dataclass(frozen=True)
class ServeOptions:
    """Where to listen and what to show.

    Attributes:
        host: The address to listen at.
        port: The port; 0 for any that is free.
        url: The public URL of the server, if it is behind a proxy; None to use the host name of each request.
        refresh: Seconds after which the index is checked again.
        threads: How many requests are answered at the same time.
        clone_url: The URL for cloning the data repo; None for the folder that contains it.
        login: How users log in.
        writes: How many annotations one user may write per minute.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    url: str | None = None
    refresh: float = 10.0
    threads: int = 12
    clone_url: str | None = None
    login: Login = field(default_factory=Login)
    writes: int = 10
