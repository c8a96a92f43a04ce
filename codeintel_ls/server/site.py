"""The site that shows a repository's commits, and the pages that it has beside them.

Known from the URL of a commit's page alone. Invariant: only `https` pages are linked.
"""

import re
from typing import Final
from urllib.parse import urlsplit

from attrs import frozen

from codeintel_ls.git import GitClient

_ANY_COMMIT: Final = "0" * 40
_HOSTS: Final = {
    "github": "GitHub",
    "gitlab": "GitLab",
    "bitbucket": "Bitbucket",
    "gitea": "Gitea",
    "forgejo": "Forgejo",
    "codeberg": "Codeberg",
    "git.sr.ht": "SourceHut",
    "dev.azure": "Azure DevOps",
    "visualstudio": "Azure DevOps",
}
_PAGE: Final = re.compile(rf"(?P<project>https://.+?)/(?P<page>-/commit|commits?)/{_ANY_COMMIT}")
# Their issues are kept elsewhere.
_WITHOUT_ISSUES: Final = re.compile(
    r"https://git\.sr\.ht/.*|https://.+/(?:projects|users)/[^/]+/repos/.+"
)
_AZURE_PROJECT: Final = re.compile(r"(?P<project>https://.+)/_git/[^/]+")


@frozen
class Site:
    """Where a project's pages are. `issues` and `merge_requests` are URLs without the number.

    Both are "" where they are not known.
    """

    name: str
    issues: str = ""
    merge_requests: str = ""

    @classmethod
    def of(cls, client: GitClient) -> "Site | None":
        """The site of a repository's remote; None where it is not known. Reads files, no git."""
        url = client.commit_url(_ANY_COMMIT)
        return cls.of_page(url) if url is not None else None

    @classmethod
    def of_page(cls, url: str) -> "Site | None":
        """The site on which `url` is the page of the commit whose id is all zeros."""
        host = urlsplit(url).hostname or ""
        if not url.startswith("https://") or not host:
            return None
        name = next((name for part, name in _HOSTS.items() if part in host), host)
        page = _PAGE.fullmatch(url)
        if page is None or _WITHOUT_ISSUES.fullmatch(url) is not None:
            return cls(name)
        project = page["project"]
        azure = _AZURE_PROJECT.fullmatch(project)
        if azure is not None:
            return cls(name, issues=f"{azure['project']}/_workitems/edit/")
        if page["page"] == "-/commit":
            return cls(name, f"{project}/-/issues/", f"{project}/-/merge_requests/")
        return cls(name, f"{project}/issues/")


def https_page(client: GitClient, commit: str) -> str | None:
    """The page of a commit, which may be given by the first digits of its id."""
    url = client.commit_url(commit)
    return url if url is not None and url.startswith("https://") else None
