"""The pages of a site, known from the URL of a commit's page."""

import pytest

from codeintel_ls.server.site import Site

NOBODY = "0" * 40


@pytest.mark.parametrize(
    ("page", "site"),
    [
        (
            f"https://github.com/a/b/commit/{NOBODY}",
            Site("GitHub", "https://github.com/a/b/issues/"),
        ),
        (
            f"https://gitlab.example.org:8443/a/b/c/-/commit/{NOBODY}",
            Site(
                "GitLab",
                "https://gitlab.example.org:8443/a/b/c/-/issues/",
                "https://gitlab.example.org:8443/a/b/c/-/merge_requests/",
            ),
        ),
        (
            f"https://bitbucket.org/a/b/commits/{NOBODY}",
            Site("Bitbucket", "https://bitbucket.org/a/b/issues/"),
        ),
        (
            f"https://git.example.org/a/b/commit/{NOBODY}",
            Site("git.example.org", "https://git.example.org/a/b/issues/"),
        ),
        (
            f"https://dev.azure.com/org/project/_git/repo/commit/{NOBODY}",
            Site("Azure DevOps", "https://dev.azure.com/org/project/_workitems/edit/"),
        ),
        (f"https://git.sr.ht/~a/b/commit/{NOBODY}", Site("SourceHut")),
        (
            f"https://bitbucket.example.org/projects/A/repos/b/commits/{NOBODY}",
            Site("Bitbucket"),
        ),
        (f"https://code.example.org/?c={NOBODY}", Site("code.example.org")),
        (f"http://github.com/a/b/commit/{NOBODY}", None),
        (f"javascript:alert('{NOBODY}')", None),
    ],
)
def test_the_site_of_a_page(page, site):
    assert Site.of_page(page) == site
