"""Definitions of the remaining languages, and the sections of documents."""

import pytest

from tests.unit.index.test_chunking_languages import chunks_of

SNIPPETS: dict[str, tuple[str, list[tuple[str | None, str | None, str]]]] = {
    "kotlin": (
        """
/** A path. */
@Serializable
class Path<T>(val a: Int) : Base() {
    // Joins.
    fun join(b: T): Path {
        FILL step()
    }

    companion object {
        FILL val a = 1
    }
}

interface Sink {
    FILL val size: Int
}

fun String.shout(): String {
    FILL step()
}
""",
        [
            ("Path", "class", "/** A path. */"),
            ("Path.join", "method", "// Joins."),
            ("Path.Companion", "object", "companion object {"),
            ("Sink", "interface", "interface Sink {"),
            ("shout", "function", "fun String.shout(): String {"),
        ],
    ),
    "swift": (
        """
/// A session.
@MainActor
final class Session: Base {
    init(a: Int) {
        FILL step()
    }

    /// Sends.
    func send<T>(_ a: T) -> Int {
        FILL step()
    }
}

struct Point {
    FILL var x: Int
}

protocol Sink {
    FILL func put()
}
""",
        [
            ("Session", "class", "/// A session."),
            ("Session.init", "constructor", "init(a: Int) {"),
            ("Session.send", "method", "/// Sends."),
            ("Point", "struct", "struct Point {"),
            ("Sink", "interface", "protocol Sink {"),
        ],
    ),
    "scala": (
        """
package a

/** A queue. */
class Queue[T](a: Int) extends Base {
  def push(b: T): Unit = {
    FILL step()
  }

  // Pops.
  def pop(): T = {
    FILL step()
  }
}

trait Sink {
  FILL def size: Int
}
""",
        [
            ("Queue", "class", "package a"),
            ("Queue.push", "method", "def push(b: T): Unit = {"),
            ("Queue.pop", "method", "// Pops."),
            ("Sink", "interface", "trait Sink {"),
        ],
    ),
    "lua": (
        """
local M = {}

-- Opens.
function M.open(a)
  FILL step()
end

function M:close()
  FILL step()
end

M.reopen = function()
  FILL step()
end

local function helper()
  FILL step()
end
""",
        [
            ("M.open", "function", "local M = {}"),
            ("M.close", "method", "function M:close()"),
            ("M.reopen", "function", "M.reopen = function()"),
            ("helper", "function", "local function helper()"),
        ],
    ),
    "shellscript": (
        """
# Builds.
build() {
  FILL step
}

if true; then
  function clean {
    FILL step
  }
fi
""",
        [
            ("build", "function", "# Builds."),
            ("clean", "function", "if true; then"),
        ],
    ),
    "elixir": (
        """
defmodule A.Cart do
  @moduledoc "A cart."

  @doc "Adds."
  @spec add(integer) :: integer
  def add(a) when a > 1 do
    FILL step()
  end

  defp total(a) do
    FILL step()
  end
end
""",
        [
            ("A.Cart.add", "function", "defmodule A.Cart do"),
            ("A.Cart.total", "function", "defp total(a) do"),
        ],
    ),
    "sql": (
        """
-- Who buys.
CREATE TABLE shop.buyer (
    FILL a INT,
    z INT
);

CREATE VIEW adults AS
SELECT
    FILL a,
    z
FROM buyer;
""",
        [
            ("shop.buyer", "struct", "-- Who buys."),
            ("adults", "struct", "CREATE VIEW adults AS"),
        ],
    ),
    "yaml": (
        """
name: ci
# What runs.
jobs:
  build:
    steps:
      FILL - run
  test:
    steps:
      FILL - run
""",
        [
            ("jobs.build", "key", "name: ci"),
            ("jobs.test", "key", "test:"),
        ],
    ),
    "toml": (
        """
[project]
names = [
  FILL "a",
]

# Tools.
[tool.x]
names = [
  FILL "a",
]
""",
        [
            ("project", "key", "[project]"),
            ("tool.x", "key", "# Tools."),
        ],
    ),
    "json": (
        """
{
  "a": [
    FILL 1,
    2
  ],
  "b": {
    "c": [
      FILL 1,
      2
    ],
    "d": [
      FILL 1,
      2
    ]
  }
}
""",
        [
            ("a", "key", "{"),
            ("b.c", "key", '"b": {'),
            ("b.d", "key", '"d": ['),
        ],
    ),
    "markdown": (
        """
# Guide

Words.

## Install *now*

FILL words

```
# no heading
```

## Use

FILL words
""",
        [
            ("Guide > Install *now*", "string", "# Guide"),
            ("Guide > Use", "string", "## Use"),
        ],
    ),
    "html": (
        """
<html>
<body>
<div>
  FILL <p>a</p>
</div>
<div>
  FILL <p>b</p>
</div>
</body>
</html>
""",
        [
            (None, None, "<html>"),
            (None, None, "<div>"),
        ],
    ),
    "css": (
        """
.a {
  FILL color: red;
}

.b {
  FILL color: red;
}
""",
        [
            (None, None, ".a {"),
            (None, None, ".b {"),
        ],
    ),
}


@pytest.mark.parametrize("language", SNIPPETS)
def test_definitions(language: str) -> None:
    snippet, expected = SNIPPETS[language]
    assert chunks_of(snippet, language) == expected
