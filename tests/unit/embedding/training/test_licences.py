"""What may be trained on: permissive licences only, as a package's own metadata says."""

import pytest

from codeintel_ls.embedding.training.licences import (
    is_permissive,
    npm_licence,
    python_licence,
    read_debian_copyright,
)

COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: thing

Files: *
Copyright: 2020 Somebody
License: Expat

Files: contrib/*
Copyright: 2020 Somebody else
License: GPL-2+
 This program is free software.

Files: contrib/free.c src/both.c
Copyright: 2020 A third
License: BSD-3-clause or GPL-2+

Files: debian/*
Copyright: 2021 A packager
License: GPL-3+

License: Expat
 Permission is hereby granted.
"""


@pytest.mark.parametrize(
    "licence",
    [
        "MIT",
        "Expat",
        "Apache-2.0",
        "apache 2.0",
        "BSD-3-Clause",
        "ISC",
        "Zlib",
        "Unlicense",
        "CC0-1.0",
        "PSF-2.0",
        "BSL-1.0",
        "MIT OR Apache-2.0",
        "MIT AND BSD-3-Clause",
        "(MIT OR GPL-3.0)",
        "GPL-2+ or Expat",
        "Apache-2.0 WITH LLVM-exception",
    ],
)
def test_permissive(licence: str) -> None:
    assert is_permissive(licence)


@pytest.mark.parametrize(
    "licence",
    [
        "",
        "GPL-3.0",
        "LGPL-2.1-or-later",
        "MPL-2.0",
        "AGPL-3.0",
        "MIT AND GPL-2.0",
        "Artistic",
        "UNLICENSED",
        "SEE LICENSE IN LICENSE.md",
        "Proprietary",
        "CC-BY-SA-4.0",
        "(MIT OR GPL-2.0) AND LGPL-2.1",
        "unknown licence and MIT",
    ],
)
def test_not_permissive(licence: str) -> None:
    assert not is_permissive(licence)


def test_debian_licences_are_told_file_by_file() -> None:
    licences = read_debian_copyright(COPYRIGHT)
    assert licences is not None
    assert is_permissive(licences.of("src/main.c"))
    assert not is_permissive(licences.of("contrib/other.c"))
    assert is_permissive(licences.of("contrib/free.c")), "the last stanza that matches counts"
    assert not licences.all_permissive()


def test_the_packaging_itself_does_not_count() -> None:
    licences = read_debian_copyright(COPYRIGHT.replace("GPL-2+\n This", "Zlib\n This"))
    assert licences is not None
    assert licences.all_permissive()


def test_a_copyright_in_free_form_is_unknown() -> None:
    assert read_debian_copyright("This package was debianized by somebody. MIT licence.") is None


def test_a_wheel_s_metadata() -> None:
    assert python_licence("Name: a\nLicense-Expression: MIT\n\nLicense: GPL") == "MIT"
    classified = "Classifier: License :: OSI Approved :: {}\n"
    assert is_permissive(python_licence(classified.format("MIT License")))
    both = classified.format("MIT License") + classified.format("GNU General Public License (GPL)")
    assert not is_permissive(python_licence(both))
    assert python_licence("Name: a\n\nLicense: MIT") == "", "a description is no header"
    assert not is_permissive(python_licence("Name: a"))


def test_an_npm_package() -> None:
    assert npm_licence('{"license": "ISC"}') == "ISC"
    assert npm_licence('{"license": {"type": "MIT"}}') == "MIT"
    assert is_permissive(npm_licence('{"licenses": [{"type": "MIT"}, {"type": "GPL"}]}'))
    assert npm_licence("{}") == ""
    assert npm_licence("no json") == ""
