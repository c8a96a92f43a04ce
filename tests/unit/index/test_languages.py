"""A file's language is told from its name, else from its first line."""

import pytest

from codeintel_ls.index.languages import language_of


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("a/b.py", "python"),
        ("a.pyi", "python"),
        ("A.TSX", "typescriptreact"),
        ("a.jsx", "javascriptreact"),
        ("a.mts", "typescript"),
        ("a.cs", "csharp"),
        ("a.h", "c"),
        ("a.hpp", "cpp"),
        ("a.m", "objective-c"),
        ("a.zsh", "shellscript"),
        ("a.yml", "yaml"),
        ("build.gradle.kts", "kotlin"),
        ("src/Makefile", "makefile"),
        ("Makefile.am", "makefile"),
        ("Dockerfile", "dockerfile"),
        ("Dockerfile.dev", "dockerfile"),
        ("CMakeLists.txt", "cmake"),
        ("Gemfile", "ruby"),
        (".bashrc", "shellscript"),
        ("tsconfig.json", "jsonc"),
        ("Cargo.lock", "toml"),
        ("config.h.in", "c"),
        ("README", "markdown"),
        ("notes.txt", "plaintext"),
        (".py", "plaintext"),
        ("py", "plaintext"),
        ("", "plaintext"),
    ],
)
def test_by_name(path: str, language: str) -> None:
    assert language_of(path) == language


@pytest.mark.parametrize(
    ("first_line", "language"),
    [
        ("#!/usr/bin/env python3", "python"),
        ("#!/usr/bin/python3.11 -u", "python"),
        ("#!/usr/bin/env -S FOO=1 node --no-warnings", "javascript"),
        ("#! /bin/sh", "shellscript"),
        ("#!/usr/bin/env", "plaintext"),
        ("#!", "plaintext"),
        ("<?php echo 1;", "php"),
        ("<?xml version='1.0'?>", "xml"),
        ("<!DOCTYPE HTML>", "html"),
        ("// -*- C++ -*-", "cpp"),
        ("/* -*- mode: C; tab-width: 4 -*- */", "c"),
        ("hello", "plaintext"),
    ],
)
def test_by_first_line(first_line: str, language: str) -> None:
    assert language_of("bin/tool", first_line) == language


def test_the_name_goes_before_the_first_line() -> None:
    assert language_of("a.py", "#!/bin/sh") == "python"
