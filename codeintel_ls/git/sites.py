"""The sites that show repositories, and how each one names its pages.

A site is known by its host's name, or by what only its URLs have. Invariant: every part of a
project is percent-encoded already, and nothing here decodes it.
"""

from collections.abc import Callable
from typing import NamedTuple

from attrs import evolve, frozen

_BITBUCKET_SERVER_SSH_PORT = 7999
_FEWEST_STEPS = 2


class Lines(NamedTuple):
    """Lines of a file, 1-based, both ends inclusive."""

    first: int
    last: int


@frozen
class Project:
    """A project on a site: `https://host:port`, its host, its path's steps, and ssh's port."""

    base: str
    host: str
    steps: tuple[str, ...]
    ssh_port: int | None = None

    @property
    def path(self) -> str:
        """The steps as one path."""
        return "/".join(self.steps)

    @property
    def url(self) -> str:
        """The project's own page."""
        return f"{self.base}/{self.path}"


@frozen
class Site:
    """How a site names the page of a commit, and of a file (encoded) in one."""

    commit: Callable[[Project, str], str]
    file: Callable[[Project, str, str, Lines | None], str]


def site_of(project: Project) -> tuple[Site, Project] | None:
    """The site of a project, and the project as the site's pages name it; None if unknown."""
    labels = project.host.split(".")
    azure = _azure_project(project)
    if azure is not None:
        return AZURE, azure
    server = _bitbucket_server_project(project, labels)
    if server is not None:
        return BITBUCKET_SERVER, server
    if len(project.steps) < _FEWEST_STEPS:
        return None
    if project.host == "bitbucket.org":
        return BITBUCKET, project
    if project.host == "git.sr.ht":
        return SOURCEHUT, project
    if "gitlab" in labels:
        return GITLAB, project
    if "github" in labels:
        return GITHUB, project
    return (GITEA, project) if {"gitea", "forgejo", "codeberg"} & set(labels) else None


def _marked(lines: Lines | None, one: str, more: str) -> str:
    if lines is None:
        return ""
    return (one if lines.first == lines.last else more).format(*lines)


def _site(commit: str, file: str, one: str, more: str) -> Site:
    """A site by the paths below a project's page, and how one line and more lines are marked."""
    return Site(
        commit=lambda project, identity: project.url + commit.format(commit=identity),
        file=lambda project, identity, path, lines: (
            project.url + file.format(commit=identity, path=path) + _marked(lines, one, more)
        ),
    )


GITHUB = _site("/commit/{commit}", "/blob/{commit}/{path}", "#L{}", "#L{}-L{}")
GITLAB = _site("/-/commit/{commit}", "/-/blob/{commit}/{path}", "#L{}", "#L{}-{}")
GITEA = _site("/commit/{commit}", "/src/commit/{commit}/{path}", "#L{}", "#L{}-L{}")
SOURCEHUT = _site("/commit/{commit}", "/tree/{commit}/item/{path}", "#L{}", "#L{}-{}")
BITBUCKET = _site("/commits/{commit}", "/src/{commit}/{path}", "#lines-{}", "#lines-{}:{}")
BITBUCKET_SERVER = _site("/commits/{commit}", "/browse/{path}?at={commit}", "#{}", "#{}-{}")
AZURE = _site(
    "/commit/{commit}",
    "?path=/{path}&version=GC{commit}",
    "&line={0}&lineEnd={1}",
    "&line={0}&lineEnd={1}",
)


def _bitbucket_server_project(project: Project, labels: list[str]) -> Project | None:
    """`…/scm/KEY/name`, or over ssh `KEY/name`; a person's key is `~name`."""
    steps = project.steps
    if project.host == "bitbucket.org" or len(steps) < _FEWEST_STEPS:
        return None
    context: tuple[str, ...] = ()
    if "scm" in steps[-3:-2]:
        context = steps[:-3]
    elif not (
        len(steps) == _FEWEST_STEPS
        and (project.ssh_port == _BITBUCKET_SERVER_SSH_PORT or {"bitbucket", "stash"} & set(labels))
    ):
        return None
    key, name = steps[-2:]
    owner = ("users", key[1:]) if key.startswith("~") else ("projects", key)
    return evolve(project, steps=(*context, *owner, "repos", name))


def _azure_project(project: Project) -> Project | None:
    """`…/_git/name`; over ssh `v3/organization/project/name`."""
    steps = tuple(step for step in project.steps if step not in {"_optimized", "_full"})
    if project.host in {"ssh.dev.azure.com", "vs-ssh.visualstudio.com"}:
        if len(steps) != 4 or steps[0] != "v3":
            return None
        _, organization, name, repository = steps
        named = (organization, name, "_git", repository)
        return evolve(project, base="https://dev.azure.com", host="dev.azure.com", steps=named)
    if len(steps) > 1 and steps[-2] == "_git":
        return evolve(project, steps=steps)
    return None
