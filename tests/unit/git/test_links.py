import pytest

from codeintel_ls.git import GitClient
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
