"""Which language a file is written in, told from its name and its first line.

The ids are those of the LSP specification ("Text Document Language Identifiers"), and the ids that
VS Code uses where the specification has none (`toml`, `kotlin`, `jsonc`). Never reads a file.
"""

import re
from pathlib import PurePosixPath

PLAIN_TEXT = "plaintext"

_EXTENSIONS_OF = {
    "abap": "abap",
    "ada": "adb ads ada",
    "asm": "asm s nasm",
    "bat": "bat cmd",
    "bibtex": "bib",
    "bicep": "bicep",
    "c": "c h",
    "clojure": "clj cljs cljc edn",
    "cmake": "cmake",
    "coffeescript": "coffee",
    "cpp": "cc cpp cxx c++ hh hpp hxx h++ ipp inl tpp ixx cppm ino",
    "crystal": "cr",
    "csharp": "cs csx cake",
    "css": "css",
    "cuda-cpp": "cu cuh",
    "d": "d di",
    "dart": "dart",
    "diff": "diff patch",
    "dockerfile": "dockerfile",
    "elixir": "ex exs",
    "elm": "elm",
    "erlang": "erl hrl escript",
    "fortran": "f f77 f90 f95 f03 f08 for",
    "fsharp": "fs fsi fsx",
    "gdscript": "gd",
    "gleam": "gleam",
    "glsl": "glsl vert frag geom comp tesc tese",
    "go": "go",
    "go.mod": "mod",
    "graphql": "graphql gql graphqls",
    "groovy": "groovy gradle gvy jenkinsfile",
    "handlebars": "hbs handlebars",
    "haskell": "hs lhs",
    "hcl": "hcl",
    "hlsl": "hlsl fx cginc",
    "html": "html htm xhtml shtml",
    "ini": "ini cfg conf properties editorconfig",
    "java": "java jav",
    "javascript": "js mjs cjs es6",
    "javascriptreact": "jsx",
    "jinja": "j2 jinja jinja2",
    "json": "json webmanifest geojson jsonld har avsc ipynb",
    "jsonc": "jsonc json5 code-workspace",
    "jsonl": "jsonl ndjson",
    "julia": "jl",
    "kotlin": "kt kts",
    "latex": "tex ltx sty cls",
    "less": "less",
    "lisp": "lisp lsp cl el",
    "lua": "lua luau",
    "makefile": "mk mak make",
    "markdown": "md markdown mdown mkd mdx rmd qmd",
    "matlab": "matlab",
    "nim": "nim nims",
    "nix": "nix",
    "objective-c": "m",
    "objective-cpp": "mm",
    "ocaml": "ml mli",
    "pascal": "pas pp dpr",
    "perl": "pl pm t",
    "perl6": "raku rakumod p6",
    "php": "php phtml php3 php4 php5 php7 phps",
    "powershell": "ps1 psm1 psd1",
    "prolog": "pro prolog",
    "proto3": "proto",
    "pug": "pug jade",
    "puppet": "epp",
    "python": "py pyi pyw pyx pxd pyt bzl star",
    "r": "r",
    "razor": "cshtml razor",
    "restructuredtext": "rst rest",
    "ruby": "rb rbw rake gemspec ru rbi podspec thor jbuilder",
    "rust": "rs",
    "sass": "sass",
    "scala": "scala sc sbt",
    "scheme": "scm ss rkt",
    "scss": "scss",
    "shaderlab": "shader",
    "shellscript": "sh bash zsh ksh bats command ebuild fish",
    "solidity": "sol",
    "sql": "sql ddl dml psql pgsql plsql",
    "svelte": "svelte",
    "astro": "astro",
    "swift": "swift",
    "systemverilog": "sv svh",
    "tcl": "tcl",
    "terraform": "tf tfvars",
    "thrift": "thrift",
    "toml": "toml",
    "typescript": "ts mts cts",
    "typescriptreact": "tsx",
    "vb": "vb vbs bas",
    "verilog": "v vh",
    "vhdl": "vhd vhdl",
    "viml": "vim",
    "vue": "vue",
    "wgsl": "wgsl",
    "xml": "xml xsd wsdl svg rss plist csproj fsproj vbproj props targets resx xaml storyboard"
    " xib pom",
    "xsl": "xsl xslt",
    "yaml": "yaml yml clang-format clang-tidy",
    "zig": "zig zon",
}

_NAMES_OF = {
    "cmake": "cmakelists.txt",
    "dockerfile": "dockerfile containerfile",
    "go.mod": "go.mod go.work",
    "groovy": "jenkinsfile",
    "ignore": ".gitignore .dockerignore .npmignore .prettierignore .eslintignore .codeintelignore",
    "ini": ".editorconfig .gitconfig .gitmodules .flake8 .coveragerc .pylintrc",
    "javascript": "jakefile",
    "jsonc": "tsconfig.json jsconfig.json .eslintrc .babelrc .jshintrc .swcrc",
    "json": ".prettierrc .stylelintrc composer.lock pipfile.lock flake.lock",
    "makefile": "makefile gnumakefile bsdmakefile kbuild",
    "markdown": "readme",
    "perl": "makefile.pl cpanfile",
    "python": "sconstruct sconscript snakefile wscript build.bazel workspace.bazel tiltfile",
    "ruby": "gemfile rakefile podfile fastfile vagrantfile guardfile capfile brewfile berksfile"
    " appfile",
    "shellscript": ".bashrc .bash_profile .bash_aliases .bash_login .bash_logout .zshrc .zshenv"
    " .zprofile .zlogin .profile .kshrc .xinitrc .envrc apkbuild pkgbuild",
    "toml": "cargo.lock poetry.lock pipfile uv.lock",
    "viml": ".vimrc .gvimrc .exrc",
    "yaml": ".clang-format .clang-tidy .clangd .gemrc",
}

_INTERPRETERS = {
    "ash": "shellscript",
    "bash": "shellscript",
    "bun": "typescript",
    "dash": "shellscript",
    "deno": "typescript",
    "elixir": "elixir",
    "escript": "erlang",
    "fish": "shellscript",
    "groovy": "groovy",
    "julia": "julia",
    "ksh": "shellscript",
    "lua": "lua",
    "luajit": "lua",
    "make": "makefile",
    "mksh": "shellscript",
    "node": "javascript",
    "nodejs": "javascript",
    "perl": "perl",
    "php": "php",
    "pwsh": "powershell",
    "pypy": "python",
    "python": "python",
    "raku": "perl6",
    "rscript": "r",
    "ruby": "ruby",
    "runghc": "haskell",
    "runhaskell": "haskell",
    "scala": "scala",
    "sh": "shellscript",
    "swift": "swift",
    "tclsh": "tcl",
    "ts-node": "typescript",
    "tsx": "typescript",
    "uv": "python",
    "zsh": "shellscript",
}

_BY_EXTENSION = {ext: language for language, exts in _EXTENSIONS_OF.items() for ext in exts.split()}
_BY_NAME = {name: language for language, names in _NAMES_OF.items() for name in names.split()}
_VERSIONED = re.compile(r"[\d.]+$")
_MODELINE = re.compile(r"-\*-\s*(?:.*?\bmode:\s*)?([\w+#-]+)\s*(?:;.*)?-\*-", re.IGNORECASE)
_EMACS_MODES = {"c++": "cpp", "c": "c", "sh": "shellscript", "python": "python", "ruby": "ruby"}


def language_of(path: str, first_line: str = "") -> str:
    """The language id of a file; `plaintext` when nothing tells.

    `path` may be a bare name or a path with `/`. A full name (`Makefile`) goes before the
    extension, the extension before what `first_line` says (a shebang or an Emacs mode).
    """
    name = PurePosixPath(path).name.lower()
    return (
        _BY_NAME.get(name)
        or _by_extension(name)
        or _by_prefix(name)
        or _by_first_line(first_line)
        or PLAIN_TEXT
    )


def _by_extension(name: str) -> str | None:
    stem, dot, extension = name.rpartition(".")
    if not dot or not stem:
        return None
    if extension in ("in", "tmpl", "template", "dist", "example", "sample") and "." in stem:
        return _by_extension(stem)
    return _BY_EXTENSION.get(extension)


def _by_prefix(name: str) -> str | None:
    """`Dockerfile.dev`, `Makefile.am`: the full name with something appended."""
    head = name.partition(".")[0]
    return _BY_NAME.get(head) if head in ("dockerfile", "containerfile", "makefile") else None


def _by_first_line(line: str) -> str | None:
    if line.startswith("#!"):
        return _by_shebang(line[2:].split())
    if line.startswith("<?php"):
        return "php"
    if line.startswith("<?xml"):
        return "xml"
    if line.lower().startswith("<!doctype html"):
        return "html"
    mode = _MODELINE.search(line[:200])
    return _EMACS_MODES.get(mode[1].lower()) if mode else None


def _by_shebang(words: list[str]) -> str | None:
    programs = [PurePosixPath(word).name.lower() for word in words if not word.startswith("-")]
    if programs and programs[0] == "env":
        programs = [program for program in programs[1:] if "=" not in program]
    if not programs:
        return None
    program = programs[0]
    return _INTERPRETERS.get(program) or _INTERPRETERS.get(_VERSIONED.sub("", program))
