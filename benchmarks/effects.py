"""Effects of a run on a state, as functions of a sample: those that must not make a revision, and those that must."""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from blastgit.demo import reprocess
from blastgit.demo.sample import Sample
from blastgit.revision.rules import default_rules

Effect = Callable[[Sample, random.Random], Sample]

BLOCK = 2880


def _edited(edit: Callable[[dict[str, Any], random.Random], None]) -> Effect:
    def effect(sample: Sample, chance: random.Random) -> Sample:
        export = deepcopy(sample.export)
        edit(export, chance)
        return Sample(export, sample.files)

    return effect


def _files(suffix: str, rewrite: Callable[[bytes, random.Random], bytes]) -> Effect:
    def effect(sample: Sample, chance: random.Random) -> Sample:
        files = dict(sample.files)
        for path, data in files.items():
            if path.endswith(suffix) and chance.random() < 0.5:
                files[path] = rewrite(data, chance)
        return Sample(sample.export, files)

    return effect


def _processed_again(sample: Sample, chance: random.Random) -> Sample:
    return reprocess(
        sample, app_version="v1.13.1", export_time="2026-06-11T08:00:00+00:00",
        seed=chance.randrange(10**6), all_keys=chance.random() < 0.5,
    )  # fmt: skip


def _rows(export: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the fields of each row with the name of its table."""
    for table in ("transient", "host"):
        yield table, export[table]["fields"]
    for table in ("cutouts", "apertures", "filters", "surveys"):
        yield from ((table, row["fields"]) for row in export[table])
    children = {"sedfittingresults": "sed", "aperturephotometry": "photometry", "starformationhistoryresult": "sfh"}
    for aperture in export["apertures"]:
        for child, table in children.items():
            yield from ((table, row["fields"]) for row in aperture[child])


def _volatile_fields(export: dict[str, Any], chance: random.Random) -> None:
    for _, fields in _rows(export):
        if "software_version" in fields:
            fields["software_version"] = f"v{chance.random()}"
    export["transient"]["fields"] |= {"progress": chance.randrange(100), "update_comment": "x", "update_fields": "y"}


def _tasks(export: dict[str, Any], chance: random.Random) -> None:
    chance.shuffle(export["workflow_tasks"])
    for task in export["workflow_tasks"]:
        task["last_modified"] = f"2026-0{chance.randint(1, 9)}-01T00:00:00+00:00"
        task["last_processing_time_seconds"] = chance.random()


def _empty_for_missing(export: dict[str, Any], chance: random.Random) -> None:
    for _, fields in _rows(export):
        fields[f"new_{chance.randrange(3)}"] = chance.choice((None, "", [], {}))


def _another_filter(export: dict[str, Any], chance: random.Random) -> None:
    row = deepcopy(chance.choice(export["filters"]))
    row["pk"] += 10_000
    row["fields"]["name"] = f"NEW_{chance.randrange(99)}"
    export["filters"].append(row)


def _with_date(data: bytes, chance: random.Random) -> bytes:
    """Add a date of writing to a FITS file, in front of its END card, where its header has room."""
    end = data.index(b"END".ljust(80))
    room = -(end + 80) % BLOCK
    cards = [f"DATE    = '2026-0{chance.randint(1, 9)}-01'", "CHECKSUM= 'x'", "", "ZHECKSUM= 'y'"][: room // 80]
    chance.shuffle(cards)
    text = "".join(f"{card:80}" for card in cards).encode("ascii")
    return data[:end] + text + data[end : len(data) if not text else end + 80] + data[end + 80 + len(text) :]


def _without_padding(data: bytes, _: random.Random) -> bytes:
    return data.rstrip(b"\0").ljust(len(data) - BLOCK + 1, b"\0") if len(data) > 2 * BLOCK else data


def _more_padding(data: bytes, chance: random.Random) -> bytes:
    return data + chance.choice(b"\0 ").to_bytes() * chance.choice((1, 80, BLOCK))


def _packed(data: bytes, _: random.Random) -> bytes:
    return gzip.compress(data, 1)


def _npz_again(data: bytes, chance: random.Random) -> bytes:
    """Write an archive of arrays with another order, compression, memory layout and byte order."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w", chance.choice((0, 8))) as new:
        for name in chance.sample(old.namelist(), len(old.namelist())):
            new.writestr(name, _array_again(old.read(name), chance))
    return target.getvalue()


def _array_again(data: bytes, chance: random.Random) -> bytes:
    try:
        array = np.load(io.BytesIO(data), allow_pickle=False)
    except ValueError:
        return data  # pickled
    if array.dtype.kind == "f":
        array = np.nextafter(array, chance.choice((-1e300, 1e300)), dtype=array.dtype) if array.itemsize == 8 else array
    if array.dtype.kind in "fiu":
        array = array.astype(array.dtype.newbyteorder(chance.choice("<>")))
    target = io.BytesIO()
    np.save(target, np.asfortranarray(array) if chance.random() < 0.5 else array)
    return target.getvalue()


def _h5_again(data: bytes, chance: random.Random) -> bytes:
    """Write an HDF5 file with other chunks and compression, and noise in the last digit of numbers."""
    import h5py

    target = io.BytesIO()
    with h5py.File(io.BytesIO(data)) as old, h5py.File(target, "w") as new:
        new.attrs.update(old.attrs)

        def copy(name: str, item: Any) -> None:
            if isinstance(item, h5py.Group):
                made = new.require_group(name)
            else:
                values = item[()]
                if item.dtype == "f8":
                    values = np.nextafter(values, chance.choice((-1e300, 1e300)))
                options = {"compression": "gzip", "chunks": True} if item.shape and item.size else {}
                made = new.create_dataset(name, data=values, dtype=item.dtype, **options)
            made.attrs.update(item.attrs)

        old.visititems(copy)
    return target.getvalue()


def _thumbnail(data: bytes, chance: random.Random) -> bytes:
    return data + bytes([chance.randrange(256)])


def _littered(sample: Sample, chance: random.Random) -> Sample:
    folder = f"cutout_cdn/{sample.name}"
    names = (".DS_Store", "._x.fits", "Thumbs.db", "desktop.ini", "a.fits~", ".a.fits.Ab12Cd")
    return Sample(sample.export, {**sample.files, f"{folder}/{chance.choice(names)}": b"Bud1"})


EFFECTS: dict[str, Effect] = {
    "processed again": _processed_again,
    "volatile fields": _edited(_volatile_fields),
    "order and times of tasks": _edited(_tasks),
    "empty for missing": _edited(_empty_for_missing),
    "a filter of others": _edited(_another_filter),
    "FITS dates": _files(".fits", _with_date),
    "FITS without padding": _files(".fits", _without_padding),
    "FITS with more padding": _files(".fits", _more_padding),
    "FITS in gzip": _files(".fits", _packed),
    "npz written again": _files(".npz", _npz_again),
    "HDF5 written again": _files(".h5", _h5_again),
    "thumbnails": _files(".jpg", _thumbnail),
    "leftovers": _littered,
}
"""Effects that make no revision, in the order in which a mix applies them: packing comes last."""


def mixed(sample: Sample, chance: random.Random) -> tuple[Sample, list[str]]:
    """Return a sample with a mix of effects, and their names."""
    chosen = [name for name in EFFECTS if chance.random() < 0.4] or ["processed again"]
    for name in chosen:
        sample = EFFECTS[name](sample, chance)
    return sample, chosen


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a table that has a value somewhere in the sample: its row, and the value."""

    table: str
    name: str
    row: int
    value: Any


def fields(sample: Sample) -> list[Field]:
    """Return each significant field once, in the first row that has a value for it, and each outcome of a stage."""
    rules, found = default_rules(), dict[tuple[str, str], Field]()
    used = {row["filter"] for table, row in _rows(sample.export) if table == "photometry"}
    unused = [row["fields"] for row in sample.export["filters"] if row["pk"] not in used]
    for number, (table, row) in enumerate(_rows(sample.export)):
        if any(row is each for each in unused):
            continue
        rule = rules.tables[table]
        for name, value in row.items():
            keeps_its_row = name not in rule.volatile and name not in rule.references and name not in rule.key
            if keeps_its_row and name not in ("name", "type", "fits") and rule.knows(name) and _is_plain(value):
                found.setdefault((table, name), Field(table, name, number, value))
    return list(found.values())


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float) and value not in ("", None) and "/data/" not in str(value)


def altered(sample: Sample, field: Field, chance: random.Random) -> Sample:
    """Return a sample in which one field has another value, usually one that is hard to notice."""
    export = json.loads(sample.text)
    row = next(row for number, (_, row) in enumerate(_rows(export)) if number == field.row)
    row[field.name] = _another(field, chance)
    return Sample(export, sample.files)


def _another(field: Field, chance: random.Random) -> Any:
    value = field.value
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + chance.choice((1, -1))
    if isinstance(value, str):
        return chance.choice((f"{value} ", f" {value}", f"{value}\u200b", f"{value}x", value.swapcase() + "."))
    step = chance.choice((3e-12, 1e-9, 1e-3))
    if field.name in ("ra_deg", "dec_deg"):
        return value + 3 * step * 100
    return value * (1 + step) if value else step


def _other_bytes(at: float, flip: int) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        place = BLOCK + int((len(data) - 2 * BLOCK) * at)
        return data[:place] + bytes([data[place] ^ flip]) + data[place + 1 :]

    return change


def _other_card(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new.ljust(len(old)), 1)

    return change


def _other_array(change_array: Callable[[Any], Any]) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        with np.load(io.BytesIO(data)) as old:
            arrays = dict(old)
        name = max(arrays, key=lambda each: arrays[each].size)
        target = io.BytesIO()
        np.savez(target, **{**arrays, name: change_array(arrays[name])})
        return target.getvalue()

    return change


def _other_dataset(edit: Callable[[Any], None]) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        import h5py

        target = io.BytesIO(data)
        with h5py.File(target, "a") as file:
            edit(file)
        return target.getvalue()

    return change


def _first(file: Any) -> Any:
    """Return the first dataset of numbers."""
    import h5py

    def numbers(_: str, item: Any) -> Any:
        return item if isinstance(item, h5py.Dataset) and item.dtype == "f8" and item.size else None

    return file.visititems(numbers)


def _nudge(array: Any) -> Any:
    changed = array.copy()
    changed.flat[-1] = changed.flat[-1] * (1 + 1e-11) + 1e-300
    return changed


def _nudge_in(file: Any) -> None:
    dataset = _first(file)
    dataset[...] = _nudge(np.atleast_1d(dataset[()])).reshape(dataset.shape)


def _retype(file: Any) -> None:
    dataset = _first(file)
    name, values = dataset.name, dataset[()]
    del file[name]
    file[name] = np.asarray(values).astype("f4")


def _with_nothing(file: Any) -> None:
    import h5py

    file["nothing"] = h5py.Empty("f4")


FILES: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "a bit of a pixel": ("DES_z.fits", _other_bytes(0.5, 0x40)),
    "a card": ("DES_z.fits", _other_card(b"FILTER  = '", b"FILTER  = ' ")),
    "a type of arrays": ("_local_modeldata.npz", _other_array(lambda array: array.astype("f4"))),
    "a number among many": ("_local_modeldata.npz", _other_array(_nudge)),
    "another shape": ("_local_modeldata.npz", _other_array(lambda array: array.reshape(-1, 1))),
    "a number in HDF5": ("_local.h5", _other_dataset(_nudge_in)),
    "a type in HDF5": ("_local.h5", _other_dataset(_retype)),
    "an attribute": ("_local.h5", _other_dataset(lambda file: file.attrs.__setitem__("x", 1))),
    "a dataset without values": ("_local.h5", _other_dataset(_with_nothing)),
}
"""Changes of files that make a revision: in the first file whose path ends so."""
