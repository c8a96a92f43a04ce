"""Packages of public registries: which there are, how one is fetched, what is in it.

A fetched package is its licence and its source files with paths as its authors know them.
Everything goes through the registries' ordinary clients, by name, in small batches.
"""

import lzma
import re
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, cast

from attrs import frozen

from codeintel_ls.embedding.training.licences import (
    FileLicences,
    is_permissive,
    npm_licence,
    python_licence,
    read_debian_copyright,
)

_LARGEST_FILE = 250_000
_LARGEST_BINARY = 8_000_000
_LARGEST_ARCHIVE = 300_000_000
_TIMEOUT = 300.0
_NOTICE = "_notice.deb"
_UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    tarfile.TarError,
    lzma.LZMAError,
    zipfile.BadZipFile,
    subprocess.SubprocessError,
)
_PAGE = re.compile(r'https?://[^\s"\'<>,)]+')
_INSTALLED = re.compile(
    r"^(?:\./)?usr/(?:share/gocode/src/(?:[^/]+\.[^/]+/[^/]+/)?[^/]+/|share/cargo/registry/[^/]+/"
    r"|share/rubygems-integration/[^/]+/gems/[^/]+/|lib/ruby/vendor_ruby/|share/php/"
    r"|share/nodejs/|lib/nodejs/|lib/python3(?:\.\d+)?/dist-packages/|share/lua/[\d.]+/"
    r"|share/python3?/|include/|share/|lib/)"
)


@frozen
class Package:
    """A fetched package: `files` gives (path, text); `licence_of` a file's licence."""

    registry: str
    name: str
    version: str
    licence: str
    pages: tuple[str, ...]
    permits: Callable[[str], bool]
    files: Callable[[], Iterator[tuple[str, str]]]


def fetch(registry: str, names: Sequence[str], folder: Path, apt: Sequence[str]) -> list[Path]:
    """Download packages into an empty `folder`; those that cannot be had are left out.

    `registry` is debian, debian-source, pypi or npm; `apt` are further options of apt-get.
    """
    _run(_command(registry, names, folder, apt), folder)
    # These two take all or nothing.
    if registry in {"pypi", "npm"} and not any(folder.iterdir()):
        for name in names:
            _run(_command(registry, [name], folder, apt), folder)
    if registry == "debian-source":
        _fetch_notices([name for name in names if not _has_packaging(folder, name)], folder, apt)
    return sorted(path for path in folder.iterdir() if path.is_file())


def _has_packaging(folder: Path, source: str) -> bool:
    return any(folder.glob(f"{source}_*.debian.tar.*"))


def _fetch_notices(sources: Sequence[str], folder: Path, apt: Sequence[str]) -> None:
    """Get a binary package of each source whose packaging is not served: it has its licences."""
    wanted = [name for name in sources if any(folder.glob(f"{name}_*.orig.tar.*"))]
    if not wanted:
        return
    shown = subprocess.run(
        ["apt-cache", *apt, "showsrc", "--only-source", *wanted], capture_output=True, check=False
    ).stdout.decode("utf-8", "replace")
    binary_of: dict[str, str] = {}
    for stanza in re.split(r"\n\s*\n", shown):
        package = re.search(r"^Package: (.*)", stanza, re.MULTILINE)
        binary = re.search(r"^Binary:\s*([\w.+-]+)", stanza, re.MULTILINE)
        if package and binary:
            binary_of[package.group(1)] = binary.group(1)
    _run(_command("debian", list(binary_of.values()), folder, apt), folder)
    for source, name in binary_of.items():
        for path in folder.glob(f"{name}_*.deb"):
            path.rename(folder / f"{source}{_NOTICE}")


def _command(registry: str, names: Sequence[str], folder: Path, apt: Sequence[str]) -> list[str]:
    if registry == "debian":
        return ["apt-get", *apt, "-qq", "download", *names]
    if registry == "debian-source":
        return ["apt-get", *apt, "-qq", "source", "--download-only", *names]
    if registry == "pypi":
        wheels = ["--no-deps", "--only-binary=:all:", "--no-cache-dir", "-q", "-d", str(folder)]
        return ["python3", "-m", "pip", "download", *wheels, *names]
    return ["npm", "pack", "--silent", "--ignore-scripts", *names]


def _run(command: Sequence[str], folder: Path) -> bool:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, timeout=_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def open_packages(paths: Sequence[Path]) -> Iterator[Package]:
    """The packages among downloaded files. What cannot be read, or has no licence, is left out."""
    for path in paths:
        largest = _LARGEST_BINARY if path.suffix == ".deb" else _LARGEST_ARCHIVE
        if path.stat().st_size > largest:
            continue
        try:
            found = _open(path)
        except _UNREADABLE:
            continue
        if found is not None:
            yield found


def _open(path: Path) -> Package | None:
    if path.name.endswith(_NOTICE):
        return None
    if path.suffix == ".deb":
        return _open_deb(path)
    if ".orig.tar." in path.name and path.suffix != ".asc":
        return _open_source(path)
    if path.suffix == ".whl":
        return _open_wheel(path)
    if path.suffix == ".tgz":
        return _open_npm(path)
    return None


def _open_deb(path: Path) -> Package | None:
    control = subprocess.run(["dpkg-deb", "-f", path], capture_output=True, check=True).stdout
    fields = dict(
        line.split(": ", 1)
        for line in control.decode("utf-8", "replace").splitlines()
        if ": " in line and not line.startswith(" ")
    )
    name = fields.get("Package", "")
    texts = _deb_texts(path)
    notice = f"usr/share/doc/{name}/copyright"
    licences = read_debian_copyright(texts.get(notice, ""))
    if licences is None or not licences.all_permissive():
        return None
    files = [(_INSTALLED.sub("", each), text) for each, text in texts.items() if each != notice]
    pages = (fields.get("Homepage", ""), name, *texts.keys())
    return Package(
        "debian",
        name,
        fields.get("Version", ""),
        licences.summary(),
        tuple(page for page in pages if page)[:50],
        lambda _path: True,
        lambda: iter(files),
    )


def _deb_texts(path: Path) -> dict[str, str]:
    """The text files of a binary package; the process that unpacks it is read to its end."""
    with subprocess.Popen(
        ["dpkg-deb", "--fsys-tarfile", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as unpacking:
        output = cast("IO[bytes]", unpacking.stdout)
        with tarfile.open(fileobj=output, mode="r|") as archive:
            texts = {name.removeprefix("./"): text for name, text in _texts(archive)}
        output.read()
    return texts


def _open_source(path: Path) -> Package | None:
    """An upstream archive; its `.dsc` and its packaging lie beside it, where they are served."""
    name, _, rest = path.name.partition("_")
    described = [each.read_text("utf-8", "replace") for each in path.parent.glob(f"{name}_*.dsc")]
    packaging = sorted(path.parent.glob(f"{name}_*.debian.tar.*"))
    licences = read_debian_copyright(_source_notice(path, packaging))
    if licences is None:
        return None
    own: FileLicences = licences
    return Package(
        "debian-source",
        name,
        rest.partition(".orig.")[0],
        own.summary(),
        tuple(_PAGE.findall(" ".join(described)))[:20],
        lambda each: is_permissive(own.of(each)),
        lambda: _archived(path),
    )


def _source_notice(path: Path, packaging: Sequence[Path]) -> str:
    """The text of `debian/copyright`, or of the notice in a binary package fetched instead."""
    if packaging:
        with tarfile.open(packaging[0]) as archive:
            notice = archive.extractfile("debian/copyright")
            return notice.read().decode("utf-8", "replace") if notice else ""
    binary = path.with_name(path.name.partition("_")[0] + _NOTICE)
    if not binary.exists():
        return ""
    texts = _deb_texts(binary)
    return next((text for name, text in texts.items() if name.endswith("/copyright")), "")


def _archived(path: Path) -> Iterator[tuple[str, str]]:
    """The text files of a source archive, without its single top folder."""
    with tarfile.open(path, mode="r|*") as archive:
        for name, text in _texts(archive):
            yield name.removeprefix("./").partition("/")[2] or name, text


def _open_npm(path: Path) -> Package | None:
    texts = dict(_archived(path))
    description = texts.get("package.json", "")
    licence = npm_licence(description)
    if not is_permissive(licence):
        return None
    found = re.search(r'"name"\s*:\s*"([^"]+)"', description)
    version = re.search(r'"version"\s*:\s*"([^"]+)"', description)
    return Package(
        "npm",
        found.group(1) if found else path.stem,
        version.group(1) if version else "",
        licence,
        tuple(_PAGE.findall(description))[:20],
        lambda _path: True,
        lambda: iter(texts.items()),
    )


def _open_wheel(path: Path) -> Package | None:
    with zipfile.ZipFile(path) as archive:
        inside = archive.infolist()
        about = [each for each in inside if each.filename.endswith(".dist-info/METADATA")]
        metadata = archive.read(about[0]).decode("utf-8", "replace") if about else ""
        licence = python_licence(metadata)
        if not is_permissive(licence):
            return None
        texts = {
            each.filename: text
            for each in inside
            if each.file_size < _LARGEST_FILE and is_read(each.filename)
            if (text := _decoded(archive.read(each))) is not None
        }
    texts["README.md"] = metadata.partition("\n\n")[2]
    name, version = path.name.split("-")[:2]
    pages = tuple(_PAGE.findall(metadata.partition("\n\n")[0]))[:20]
    return Package(
        "pypi", name, version, licence, pages, lambda _path: True, lambda: iter(texts.items())
    )


_READ = re.compile(
    r"\.(?:py|js|jsx|mjs|ts|tsx|go|rs|rb|php|java|kts?|scala|swift|cs|[ch]|cc|cpp|hpp|hh|cxx|hxx|lua"
    r"|exs?|erl|sh|bash|hs|mli?|m|md|rst)$|/copyright$|package\.json$"
)


def is_read(name: str) -> bool:
    """Whether a file of that name is mined: source in a language we know, or a document."""
    return _READ.search(name) is not None


def _texts(archive: tarfile.TarFile) -> Iterator[tuple[str, str]]:
    for member in archive:
        if not member.isfile() or member.size > _LARGEST_FILE or not is_read(member.name):
            continue
        opened: IO[bytes] | None = archive.extractfile(member)
        text = _decoded(opened.read()) if opened is not None else None
        if text is not None:
            yield member.name, text


def _decoded(data: bytes) -> str | None:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None
