"""Settings for plain DVC in a clone, so that it reads from the current stores named on main.

The `.dvc/config` of a published tag never changes. DVC overrides it with `.dvc/config.local`, which is in no commit.
Options can be overridden there, but not removed: if an old option is in the way, the default store gets another name in
`.dvc/config.local`.
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
        addresses: The URLs that DVC then reads from, by the name of the store; the default one first.
        unreachable: Stores whose new address cannot be set, because their old options are in the way.
    """

    text: bytes
    addresses: Mapping[str, str]
    unreachable: tuple[str, ...] = ()


def local_config(main: bytes, checked_out: bytes, own: bytes = b"") -> LocalConfig:
    """Return the `.dvc/config.local` of a clone.

    Args:
        main: The current `.dvc/config` on main.
        checked_out: The one of the commit that is checked out.
        own: The present `.dvc/config.local`; everything except addresses stays, for example credentials.

    Raises:
        RepoError: One of them is not a settings file of DVC.
    """
    default = default_remote(main)
    now, before = remotes_of(main), remotes_of(checked_out)
    wanted = {default.name: default, **now}
    # Stores that main no longer names are assumed to have been moved into the default store.
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
