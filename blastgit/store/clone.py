"""What plain DVC in a clone has to be told, so that it reads from where main says that contents are now.

The `.dvc/config` of a published tag is that of its time, and never changes. DVC lays `.dvc/config.local` over it, which
belongs to no commit. An option cannot be taken back there, only given another value: where an old option would be in
the way, the default store gets a name of its own in `.dvc/config.local`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from blastgit.store.config import Remote, default_remote, parse_config, remote_name, remotes_of

_NEW_NAME = "{}-now"
_CORE = "core"


@dataclass(frozen=True)
class LocalConfig:
    """The settings of one clone.

    Attributes:
        text: The `.dvc/config.local`.
        addresses: Where DVC reads from with it, by the name of the store; the default one first.
        unreachable: Stores whose old options are in the way of their new address, which DVC cannot be told here.
    """

    text: bytes
    addresses: Mapping[str, str]
    unreachable: tuple[str, ...] = ()


def local_config(main: bytes, checked_out: bytes, own: bytes = b"") -> LocalConfig:
    """Return the `.dvc/config.local` of a clone.

    Args:
        main: The `.dvc/config` that main has now.
        checked_out: That of the commit which is checked out.
        own: The present `.dvc/config.local`; what it says beside the addresses (credentials, say) stays.

    Raises:
        RepoError: One of them is not a settings file of DVC.
    """
    default = default_remote(main)
    now, before = remotes_of(main), remotes_of(checked_out)
    wanted = {default.name: default, **now}
    # What main does not name any more was moved into the default store, as far as anybody can know.
    wanted |= {name: Remote(name, default.url, default.options) for name in before.keys() - wanted.keys()}
    parsed = parse_config(own, ".dvc/config.local")
    renamed = _NEW_NAME.format(default.name)
    for section in [each for each in parsed.sections if remote_name(each) == renamed]:
        del parsed[section]
    if parsed.get(_CORE, {}).get("remote") == renamed:
        del parsed[_CORE]["remote"]
    unreachable = []
    for name, remote in wanted.items():
        in_the_way = before[name].options.keys() - remote.options.keys() if name in before else set()
        if in_the_way and name != default.name:
            unreachable.append(name)
            continue
        if in_the_way:
            parsed.setdefault(_CORE, {})["remote"] = renamed
        _lay_over(parsed, renamed if in_the_way else name, remote)
    text = "\n".join(parsed.write()).encode() + b"\n"
    return LocalConfig(text, {name: each.url for name, each in wanted.items()}, tuple(sorted(unreachable)))


def _lay_over(parsed: dict[str, dict[str, str]], name: str, remote: Remote) -> None:
    section = next((each for each in parsed if remote_name(each) == name), f'remote "{name}"')
    parsed.setdefault(section, {}).update({"url": remote.url, **remote.options})
