"""Services in one file: the same bytes everywhere, and nothing taken from a hostile one."""

from __future__ import annotations

import hashlib
import io
import json
import random
import stat
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.marine import archive as archive_module
from runtime.marine import packed as packed_module
from runtime.marine.archive import ArchiveError, read_archive, write_tar, write_zip
from runtime.marine.config import ConfigError, ModuleConfig, ServiceConfig
from runtime.marine.files import NAMES_ONLY, Permissions, service_config
from runtime.marine.host import Service
from runtime.marine.limits import ARCHIVE_ENTRIES_MAX, ARCHIVE_NAME_LENGTH_MAX, MODULES_MAX
from runtime.marine.packed import PackError, pack, unpack
from tests.runtime.marine.kit import own

WRITERS = {"tar": write_tar, "zip": write_zip}
FORMS = tuple(WRITERS)
TWO = ServiceConfig(
    (ModuleConfig("testkit", envs={"B": "2", "A": "1"}, logging_mask=5), ModuleConfig("facade", logger_enabled=False)),
    1 << 26,
)
MODULES = [own("testkit"), own("facade")]


def files_of(form: str = "tar", config: ServiceConfig = TWO) -> dict[str, bytes]:
    return read_archive(pack(config, MODULES, form=form))


def check(files: dict[str, bytes], message: str) -> None:
    for form, write in WRITERS.items():
        with pytest.raises(PackError) as caught:
            unpack(write(files))
        assert message in str(caught.value), form


# ── there and back ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("form", FORMS)
def test_there_and_back(form, tmp_path):
    (tmp_path / f"s.{form}").write_bytes(pack(TWO, MODULES, form=form, name="both"))
    config = service_config([str(tmp_path / f"s.{form}")])
    testkit, facade = config.modules
    assert (config.memory_limit, config.name) == (1 << 26, "both")
    assert (testkit.envs, testkit.logging_mask, testkit.logger_enabled) == ({"A": "1", "B": "2"}, 5, True)
    assert (facade.envs, facade.logger_enabled) == ({}, False)
    with Service(config) as service:
        assert service.call("via_string", ["x"]) == "x"


@pytest.mark.parametrize(("form", "digest"), [
    ("tar", "1a717e7b33b0877d1180660bc2ed19955e98ae5da588928c9f7a673ac422c900"),
    ("zip", "9f76aaa104352b1a1880d9020c818e8943fdd21b621044b3bdfe7327fc519470"),
])  # fmt: skip
def test_the_bytes_are_always_the_same(form, digest):
    shuffled = replace(TWO, modules=(replace(TWO.modules[0], envs={"A": "1", "B": "2"}), TWO.modules[1]))
    first = pack(TWO, MODULES, form=form)
    assert pack(shuffled, MODULES, form=form) == first
    assert hashlib.sha256(first).hexdigest() == digest


def test_blueprint():
    data = pack(TWO, MODULES, form="tar", name="both")
    _, blueprint = unpack(data)
    assert blueprint.name == "both"
    assert blueprint.dependencies[0] == "bafkreig7vrpkkh7xj2w62tnew6pg3l2w27q7mj6w5igzngzkhog3t343ou"
    assert read_archive(data)["blueprint.json"].decode() == blueprint.text
    assert json.loads(blueprint.text) == {
        "dependencies": [{"/": cid} for cid in blueprint.dependencies],
        "name": "both",
    }


def test_a_module_is_stored_once():
    twice = ServiceConfig((ModuleConfig("a"), ModuleConfig("b")))
    data = pack(twice, [own("demo.wat")] * 2, form="zip")
    assert len(read_archive(data)) == 3
    config, _ = unpack(data)
    assert [one.name for one in config.modules] == ["a", "b"]


def test_other_tools_read_it_and_what_they_write_is_read():
    tar, zipped = pack(TWO, MODULES, form="tar"), pack(TWO, MODULES, form="zip")
    wanted = files_of()
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        assert archive.getnames() == list(wanted)
        assert {member.mtime for member in archive} == {0}
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == list(wanted)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        folder = tarfile.TarInfo("./modules")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, data in wanted.items():
            entry = tarfile.TarInfo(f"./{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    assert read_archive(out.getvalue()) == wanted
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("modules")
        for name, data in wanted.items():
            archive.writestr(name, data)
    assert read_archive(out.getvalue()) == wanted


# ── permissions ──────────────────────────────────────────────────────────────────────────────────────────────────────

WANTS = ServiceConfig(
    (
        ModuleConfig("first", mapped_dirs={"/data": Path("/secret/place")}, mounted_binaries={"curl": "/usr/bin/curl"}),
        ModuleConfig("second", mapped_dirs={"/data": Path("/secret/place")}, inherit_environment=True),
    )
)


def test_an_archive_brings_no_permission(tmp_path):
    data = pack(WANTS, MODULES, form="tar")
    assert b"secret" not in data
    (tmp_path / "s.tar").write_bytes(data)
    path = str(tmp_path / "s.tar")
    with pytest.raises(ConfigError, match="the module first wants a folder as /data: allow it with --dir /data=FOLDER"):
        service_config([path], Permissions({}, {}, {}))
    with pytest.raises(ConfigError, match="wants a folder as /data: use a configuration that allows it"):
        service_config([path])
    given = {"/data": tmp_path, "/more": tmp_path}
    with pytest.raises(ConfigError, match="the module first wants to run curl: allow it with --mount curl=PROGRAM"):
        service_config([path], Permissions({}, given, {}))
    config = service_config([path], Permissions({"E": "1"}, given, {"curl": "/bin/curl", "sh": "/bin/sh"}))
    first, second = config.modules
    assert (first.mapped_dirs, first.mounted_binaries) == ({"/data": tmp_path}, {"curl": "/bin/curl"}), (
        "only what it asked for"
    )
    assert (second.mapped_dirs, second.mounted_binaries) == ({"/data": tmp_path}, {}), "each module for itself"
    assert (first.envs, second.inherit_environment) == ({"E": "1"}, False)
    assert [list(one.mounted_binaries) for one in service_config([path], NAMES_ONLY).modules] == [["curl"], []]


# ── hostile archives ─────────────────────────────────────────────────────────────────────────────────────────────────


def tar_of(name: str, kind: bytes = tarfile.REGTYPE, data: bytes = b"", **more) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=more.pop("format", tarfile.USTAR_FORMAT)) as archive:
        entry = tarfile.TarInfo(name)
        entry.type, entry.size = kind, len(data)
        for key, value in more.items():
            setattr(entry, key, value)
        archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def zip_of(name: str, data: bytes = b"", mode: int = 0, method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        entry = zipfile.ZipInfo(name)
        entry.external_attr, entry.compress_type = mode << 16, method
        archive.writestr(entry, data)
    return out.getvalue()


NAMES = ("/etc/passwd", "../up", "modules/../../up", "a/./b", "a//b", "a\\b", "C:x", "a b", "ä", ".", "..")


@pytest.mark.parametrize("name", NAMES)
def test_names_that_leave_the_archive(name):
    for data in (tar_of(name, data=b"x"), zip_of(name, b"x")):
        with pytest.raises(ArchiveError, match=r"no plain relative path|a tar header cannot be read"):
            read_archive(data)


@pytest.mark.parametrize("kind", [
    tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.CONTTYPE, tarfile.GNUTYPE_SPARSE,
])  # fmt: skip
def test_links_and_devices_in_tar(kind):
    with pytest.raises(ArchiveError, match="only regular files are taken"):
        read_archive(tar_of("a", kind, linkname="/etc/passwd"))


def test_extended_headers_in_tar():
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        with pytest.raises(ArchiveError, match=r"only regular files are taken|neither a tar"):
            read_archive(tar_of("a" * 300, format=form))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices_in_zip(kind):
    with pytest.raises(ArchiveError, match="only regular files are taken"):
        read_archive(zip_of("a", b"/etc/passwd", kind | 0o777))


def test_other_compressions():
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with pytest.raises(ArchiveError, match="compressed in a way that is not taken"):
            read_archive(zip_of("a", b"x", method=method))


def test_encryption():
    data = bytearray(zip_of("a", b"x"))
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    with pytest.raises(ArchiveError, match="a is encrypted"):
        read_archive(bytes(data))


def test_names_that_come_twice():
    tar = tar_of("a", data=b"1")[:1024] + tar_of("a", data=b"2")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a", b"1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a", b"2")
    for data in (tar, out.getvalue()):
        with pytest.raises(ArchiveError, match="a is there twice"):
            read_archive(data)


def test_limits(monkeypatch):
    name = "n" * ARCHIVE_NAME_LENGTH_MAX
    many = {f"f{number}": b"" for number in range(ARCHIVE_ENTRIES_MAX)}
    for write in WRITERS.values():
        assert read_archive(write({name: b""})) == {name: b""}
        assert read_archive(write(many)) == many
        with pytest.raises(ArchiveError, match="more than 72 entries"):
            read_archive(write(many | {"one_more": b""}))
    for data in (tar_of(name + "n"), zip_of(name + "n")):
        with pytest.raises(ArchiveError, match="more than 96 letters"):
            read_archive(data)
    monkeypatch.setattr(archive_module, "ARCHIVE_BYTES_MAX", 2048)
    assert read_archive(write_zip({"a": b"x" * 1900}))
    with pytest.raises(ArchiveError, match="the archive has more than 2048 bytes"):
        read_archive(write_zip({"a": b"x" * 2100}))
    bomb = zip_of("a", bytes(1 << 20), method=zipfile.ZIP_DEFLATED)
    assert len(bomb) < 2048
    with pytest.raises(ArchiveError, match="the entries have more than 2048 bytes"):
        read_archive(bomb)


def test_a_bomb_that_lies_about_its_size():
    bomb = bytearray(zip_of("a", bytes(1 << 20), method=zipfile.ZIP_DEFLATED))
    at = bomb.index(b"PK\x01\x02")
    bomb[at + 24 : at + 28] = (10).to_bytes(4, "little")
    with pytest.raises(ArchiveError):
        read_archive(bytes(bomb))


def test_limits_of_the_description(monkeypatch):
    monkeypatch.setattr(packed_module, "ARCHIVE_CONFIG_BYTES_MAX", 100)
    check(files_of(), "service.json has more than 100 bytes")


@pytest.mark.parametrize("form", FORMS)
def test_damage_is_an_error_and_nothing_else(form):
    """Bytes changed or cut anywhere: the service as it was, or one error."""
    data = pack(TWO, MODULES, form=form)
    rng = random.Random(7)
    places = [*range(600), *(rng.randrange(len(data)) for _ in range(400)), *range(len(data) - 400, len(data))]
    for at in places:
        damaged = bytearray(data)
        damaged[at] ^= 1 << rng.randrange(8)
        for changed in (bytes(damaged), data[:at]):
            try:
                config, blueprint = unpack(changed)
            except PackError:
                continue
            assert [one.wasm for one in config.modules] == MODULES, at
            assert blueprint.dependencies == unpack(data)[1].dependencies


# ── the description ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_archive_and_no_service():
    for data in (b"", b"PK", b"\x1f\x8b\x08", bytes(1024)):
        with pytest.raises(PackError, match="neither a tar"):
            unpack(data)
    check({"a": b""}, "no packed service: service.json is missing")
    check({"service.json": b"{}"}, "blueprint.json is missing")


def changed(change) -> dict[str, bytes]:
    files = files_of()
    document = json.loads(files["service.json"])
    change(document)
    return files | {"service.json": json.dumps(document).encode()}


def put(path: list, value):
    def change(document):
        for key in path[:-1]:
            document = document[key]
        document[path[-1]] = value

    return change


@pytest.mark.parametrize(("change", "message"), [
    (put(["format"], 2), "format 2 is not known"), (put(["format"], True), "format True is not known"),
    (put(["name"], 1), "name: expected a string"), (put(["name"], "\ud800"), "half a surrogate pair"),
    (put(["memory_limit"], "1"), "memory_limit: expected a number"), (put(["memory_limit"], -1), "memory_limit: expected"),
    (put(["modules"], []), f"modules: expected 1 to {MODULES_MAX} modules"), (put(["modules"], {}), "modules: expected 1 to"),
    (lambda d: d["modules"].extend([d["modules"][0]] * MODULES_MAX), "modules: expected 1 to"),
    (put(["modules", 0], 5), "modules[0]: expected an object"), (put(["modules", 0, "more"], 1), "modules[0]: unknown key 'more'"),
    (lambda d: d["modules"][1].pop("folders"), "modules[1]: folders is missing"), (lambda d: d.pop("name"), "name is missing"),
    (put(["modules", 0, "cid"], "../x"), "modules[0].cid: no such module"), (put(["modules", 0, "cid"], 1), "modules[0].cid: no such"),
    (put(["modules", 0, "name"], ""), "modules[0].name: expected a string"),
    (put(["modules", 0, "envs"], {"A": 1}), "modules[0].envs.A: expected a string"),
    (put(["modules", 0, "folders"], "x"), "modules[0].folders: expected an array"),
    (put(["modules", 0, "binaries"], [1]), "modules[0].binaries: expected an array"),
    (put(["modules", 0, "logger_enabled"], 1), "modules[0].logger_enabled: expected true or false"),
    (put(["modules", 0, "logging_mask"], 1 << 31), "modules[0].logging_mask: expected an integer of 32 bits"),
    (lambda d: d["modules"].pop(), "belongs to no module of the service"),
    (lambda d: d["modules"].reverse(), "blueprint.json is not the blueprint"), (put(["name"], "other"), "blueprint.json is not"),
])  # fmt: skip
def test_descriptions(change, message):
    check(changed(change), message)


def test_texts_that_are_none():
    check(files_of() | {"service.json": b"\xff"}, "is not UTF-8")
    check(files_of() | {"service.json": b"[" * 100_000}, "nested too deeply")
    check(files_of() | {"service.json": b"1" * 5000}, "not JSON")
    check(files_of() | {"service.json": b'{"format": NaN}'}, "not JSON: NaN")
    check(files_of() | {"service.json": b'{"format": 1, "format": 1}'}, "the key is there twice")
    check(files_of() | {"more.json": b""}, "more.json belongs to no module")


def test_modules_are_what_their_ids_say():
    files = files_of()
    name = next(name for name in files if name.startswith("modules/"))
    check(files | {name: own("demo.wat")}, "has another content than its name says")
