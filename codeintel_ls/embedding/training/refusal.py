"""What never goes into training data: the benchmark's repositories, in any form.

Refused by name (packages, their home pages, vendored folders), by the hash of a file's text and
by near-duplicate: a file that shares many runs of lines with one of theirs.
"""

import re
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

# Packages of a refused repository that do not carry its name.
_FAMILIES = frozenset(
    """
    abseil absl actionpack actionview activerecord activesupport activemodel activejob
    actionmailer actioncable actionmailbox actiontext activestorage railties illuminate
    nlohmann-json nlohmann-json3 newtonsoft messagepack-csharp jackson2-databind commons-lang3
    liblang3 kotlinx kotlinx-coroutines guzzlehttp gin-gonic go-chi telescope mini-nvim lazy-nvim
    bash-it bats nvm zls potion phoenix-live
    """.split()
)
_PREFIXES = re.compile(
    r"^(?:golang-(?:github|gopkg|golang)-|golang-|librust-|ruby-|php-|node-|python3?-|haskell-"
    r"|libghc-|lua-|elixir-|erlang-|@|lib)"
)
_SUFFIXES = re.compile(r"(?:[.\d]*-(?:dev|java|cil|doc|perl))?[.\d]*$")
# Words that name much else besides: refused alone, or as a folder of vendored code only.
_COMMON = frozenset("json fmt plug express click rack redux cats exposed zig circe vapor".split())
_VENDORED = frozenset(
    "_vendor vendor vendored third_party thirdparty 3rdparty external node_modules deps".split()
)
_RUN = 4
_SHARE = 0.2
_LEAST_RUNS = 5
_WORD = re.compile(r"\w+")


@frozen
class Refusal:
    """The refused: `repositories` as "owner/name", and what is known of their files.

    `files` and `runs` are sorted hashes, uint64 of shape (n,).
    """

    repositories: frozenset[str]
    files: NDArray[np.uint64] = field(eq=False)
    runs: NDArray[np.uint64] = field(eq=False)

    def package(self, name: str, pages: Iterable[str] = ()) -> bool:
        """Whether a package is of a refused repository, by its own name or its pages."""
        lowered = name.lower().replace("_", "-")
        core = _SUFFIXES.sub("", _PREFIXES.sub("", lowered)).strip("-")
        names = {core, core.replace(".", "-"), lowered, core.partition("/")[0], core.split("/")[-1]}
        if any(self._is_name(each) for each in names):
            return True
        joined = lowered.replace("/", "-")
        if any(f"{owner}-{name}" in joined for owner, name in self._pairs()):
            return True
        text = " ".join(pages).lower()
        return any(re.search(rf"{re.escape(each)}(?:[^\w-]|$)", text) for each in self._lowered())

    def path(self, path: str) -> bool:
        """Whether a file lies in what looks like a copy of a refused repository."""
        parts = [part.lower() for part in path.split("/")]
        names = {name for _, name in self._pairs()} | _FAMILIES
        vendored = False
        for part in parts:
            bare = re.sub(r"[-_]?v?[\d.]+$", "", part.removesuffix(".hpp").removesuffix(".h"))
            if bare in names and (vendored or bare not in _COMMON):
                return True
            vendored = vendored or part in _VENDORED
        return False

    def text(self, text: str) -> bool:
        """Whether a file's text is, or is much like, one of theirs."""
        if _among(np.array([hash_of_file(text)], dtype=np.uint64), self.files).any():
            return True
        runs = hashes_of_runs(text)
        if len(runs) < _LEAST_RUNS:
            return False
        return bool(_among(runs, self.runs).mean() >= _SHARE)

    def _is_name(self, core: str) -> bool:
        names = {name.replace(".", "-") for _, name in self._pairs()}
        if core in names or core in _FAMILIES:
            return True
        telling = {name for name in names if len(name) > 3 and name not in _COMMON} | _FAMILIES
        return any(core.startswith((f"{name}-", f"{name}/")) for name in telling)

    def _lowered(self) -> frozenset[str]:
        return frozenset(each.lower() for each in self.repositories)

    def _pairs(self) -> Iterator[tuple[str, str]]:
        for each in self._lowered():
            owner, _, name = each.partition("/")
            yield owner, name


def read_repositories(listing: Path) -> frozenset[str]:
    """The repositories of a list with one "owner/name" a line; `#` starts a comment."""
    lines = (line.strip() for line in listing.read_text("utf-8").splitlines())
    return frozenset(line for line in lines if line and not line.startswith("#"))


def refusal_of(repositories: frozenset[str], texts: Iterable[str]) -> Refusal:
    """A refusal of `repositories`, knowing the files whose `texts` are given."""
    files: list[int] = []
    runs: list[NDArray[np.uint64]] = [np.empty(0, dtype=np.uint64)]
    for text in texts:
        files.append(hash_of_file(text))
        runs.append(hashes_of_runs(text))
    return Refusal(
        repositories,
        np.unique(np.array(files, dtype=np.uint64)),
        np.unique(np.concatenate(runs)),
    )


def save_refusal(refusal: Refusal, path: Path) -> None:
    """Keep a refusal's hashes; its names are read from their list."""
    np.savez(path, files=refusal.files, runs=refusal.runs)


def load_refusal(repositories: frozenset[str], path: Path) -> Refusal:
    """The reverse of `save_refusal`."""
    with np.load(path) as kept:
        return Refusal(repositories, kept["files"], kept["runs"])


def hash_of_file(text: str) -> int:
    """A file's hash; white space does not count."""
    return _hash(" ".join(text.split()))


def hashes_of_runs(text: str) -> NDArray[np.uint64]:
    """Hashes of all runs of four telling lines, distinct and sorted; layout does not count."""
    lines = [words for line in text.splitlines() if len(words := _WORD.findall(line)) > 1]
    joined = [" ".join(words) for words in lines]
    runs = {_hash("\n".join(joined[row : row + _RUN])) for row in range(len(joined) - _RUN + 1)}
    return np.array(sorted(runs), dtype=np.uint64)


def _hash(text: str) -> int:
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def _among(values: NDArray[np.uint64], known: NDArray[np.uint64]) -> NDArray[np.bool_]:
    if not len(known):
        return np.zeros(len(values), dtype=np.bool_)
    places = np.minimum(np.searchsorted(known, values), len(known) - 1)
    return known[places] == values
