import pytest

from codeintel_ls.git import GitClient
from codeintel_ls.git.links import commit_url, file_url
from tests.unit.git.repositories import RepositoryBuilder

ID = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("remote", "page"),
    [
        ("https://github.com/owner/name.git", "https://github.com/owner/name/commit/"),
        ("https://ada:secret@github.com/owner/name", "https://github.com/owner/name/commit/"),
        ("https://github.com:443/owner/name/", "https://github.com/owner/name/commit/"),
        ("git@github.com:owner/name.git", "https://github.com/owner/name/commit/"),
        ("github.com:owner/name.git", "https://github.com/owner/name/commit/"),
        ("ssh://git@github.com:22/owner/name.git", "https://github.com/owner/name/commit/"),
        ("ssh://git@ssh.github.com:443/owner/name", "https://github.com/owner/name/commit/"),
        ("git://github.com/owner/name.git", "https://github.com/owner/name/commit/"),
        ("git@gitlab.com:a/b/c.git", "https://gitlab.com/a/b/c/-/commit/"),
        ("ssh://git@gitlab.example.org:2222/a/b.git", "https://gitlab.example.org/a/b/-/commit/"),
        ("https://gitlab.example.org:8443/a/b", "https://gitlab.example.org:8443/a/b/-/commit/"),
        ("https://x-token-auth:t@bitbucket.org/a/b.git", "https://bitbucket.org/a/b/commits/"),
        ("https://github.com/own er/na#me", None),
        ("git@codeberg.org:a/b.git", "https://codeberg.org/a/b/commit/"),
        ("https://gitea.example.org:3000/a/b.git", "https://gitea.example.org:3000/a/b/commit/"),
        ("ssh://git@forgejo.example.org:2222/a/b", "https://forgejo.example.org/a/b/commit/"),
        ("git@git.sr.ht:~ada/b", "https://git.sr.ht/~ada/b/commit/"),
        (
            "https://ada:t@stash.example.org/scm/KEY/name.git",
            "https://stash.example.org/projects/KEY/repos/name/commits/",
        ),
        (
            "https://example.org:8443/web/scm/~ada/name.git",
            "https://example.org:8443/web/users/ada/repos/name/commits/",
        ),
        (
            "ssh://git@example.org:7999/key/name.git",
            "https://example.org/projects/key/repos/name/commits/",
        ),
        (
            "git@bitbucket.example.org:key/name.git",
            "https://bitbucket.example.org/projects/key/repos/name/commits/",
        ),
        (
            "https://org:token@dev.azure.com/org/My%20Project/_git/repo",
            "https://dev.azure.com/org/My%20Project/_git/repo/commit/",
        ),
        (
            "git@ssh.dev.azure.com:v3/org/My%20Project/repo",
            "https://dev.azure.com/org/My%20Project/_git/repo/commit/",
        ),
        (
            "org@vs-ssh.visualstudio.com:v3/org/project/repo",
            "https://dev.azure.com/org/project/_git/repo/commit/",
        ),
        (
            "https://org.visualstudio.com/DefaultCollection/project/_git/_full/repo",
            "https://org.visualstudio.com/DefaultCollection/project/_git/repo/commit/",
        ),
        ("git@ssh.dev.azure.com:org/project/repo", None),
        ("https://user:pass/w@ord@github.com/owner/name", None),
        ("https://github/x:secret@github.com/owner/name", None),
        ("https://example.org/owner/name.git", None),
        ("/srv/git/name.git", None),
        ("../name", None),
        ("file:///srv/github.com/a/b", None),
        ("https://github.com/only", None),
        ("https://github.com/a/../../b", None),
        ("ext::sh -c touch% /tmp/x", None),
        ("https://[broken/a/b", None),
    ],
)
def test_the_page_of_a_commit(
    repository: RepositoryBuilder, client: GitClient, remote: str, page: str | None
):
    repository.git("config", "remote.origin.url", remote)
    repository.git("config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*")
    url = client.commit_url(ID)
    if page is None:
        assert url is None or url.startswith("https://github.com/own%20er/")
    else:
        assert url == page + ID


def test_the_only_remote_is_used_and_a_change_of_it_is_seen(
    repository: RepositoryBuilder, client: GitClient
):
    assert client.commit_url(ID) is None
    repository.git("remote", "add", "upstream", "git@github.com:up/stream.git")
    assert client.commit_url(ID) == f"https://github.com/up/stream/commit/{ID}"
    repository.git("remote", "add", "fork", "git@github.com:fo/rk.git")
    assert client.commit_url(ID) is None


def test_what_is_no_commit_id_has_no_page(repository: RepositoryBuilder, client: GitClient):
    repository.git("remote", "add", "origin", "git@github.com:up/stream.git")
    assert client.commit_url("../../evil") is None


@pytest.mark.parametrize(
    ("remote", "whole", "lines"),
    [
        ("git@github.com:a/b", "https://github.com/a/b/blob/{}/{}", "#L3-L5"),
        ("git@gitlab.com:a/b", "https://gitlab.com/a/b/-/blob/{}/{}", "#L3-5"),
        ("git@codeberg.org:a/b", "https://codeberg.org/a/b/src/commit/{}/{}", "#L3-L5"),
        ("git@git.sr.ht:~a/b", "https://git.sr.ht/~a/b/tree/{}/item/{}", "#L3-5"),
        ("git@bitbucket.org:a/b", "https://bitbucket.org/a/b/src/{}/{}", "#lines-3:5"),
    ],
)
def test_the_page_of_a_file_in_a_commit(remote: str, whole: str, lines: str):
    page = whole.format(ID, "docs/a%20%23b/%C3%A9%25%FF.md")
    path = b"docs/a #b/\xc3\xa9%\xff.md".decode("utf-8", "surrogateescape")
    assert file_url(remote, ID, path) == page
    assert file_url(remote, ID, path, 2, 4) == page + lines
    one = file_url(remote, ID, path, 2)
    assert one is not None
    assert one.endswith("3")
    for unsound in ("", "../a", "a//b", "/a", "a/./b"):
        assert file_url(remote, ID, unsound) is None
    assert file_url(remote, "main", path) is None


def test_the_page_of_a_file_where_the_commit_is_in_the_query():
    server = "ssh://git@stash.example.org:7999/key/name.git"
    assert file_url(server, ID, "a b/c&d.py", 2, 4) == (
        f"https://stash.example.org/projects/key/repos/name/browse/a%20b/c%26d.py?at={ID}#3-5"
    )
    azure = "https://dev.azure.com/org/project/_git/repo"
    assert file_url(azure, ID, "a b/c&d.py", 2, 4) == (
        f"{azure}?path=/a%20b/c%26d.py&version=GC{ID}&line=3&lineEnd=5"
    )


@pytest.mark.parametrize(
    ("remote", "page"),
    [
        ("https://ada:secret@git.example.org:8443/a b/name.git", "git.example.org/a%20b/name"),
        ("git@git.example.org:a/b/name.git", "git.example.org/a/b/name"),
        ("git@github.com:a/b", "github.com/a/b"),
        ("https://ada:se/cr@et@git.example.org/a/b", None),
        ("/srv/git/name.git", None),
        ("", None),
    ],
)
def test_a_template_of_the_user_goes_before_what_is_known(remote: str, page: str | None):
    template = "https://view.example.org/{host}/{path}?h={commit}"
    expected = f"https://view.example.org/{page}?h={ID}" if page is not None else None
    assert commit_url(remote, ID, template) == expected
    assert commit_url(remote, ID, "http://c.example/{commit}") == f"http://c.example/{ID}"
    assert commit_url(remote, "x/../y", template) is None
