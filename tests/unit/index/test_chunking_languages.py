"""Each language's definitions are found, with their names, kinds, comments and decorators."""

import re

import pytest

from codeintel_ls.index.chunking import chunk_source
from codeintel_ls.index.source import split_lines

_FILL = re.compile(r"^(\s*)FILL (.*)$", re.MULTILINE)


def filled(snippet: str) -> str:
    """`FILL x` stands for 24 lines of `x`: enough for two such bodies to split their class."""
    return _FILL.sub(lambda m: "\n".join([m[1].strip("\n") + m[2]] * 24), snippet.lstrip("\n"))


def chunks_of(snippet: str, language: str) -> list[tuple[str | None, str | None, str]]:
    text = filled(snippet)
    lines = split_lines(text)
    return [(c.symbol, c.kind, lines[c.start_line].strip()) for c in chunk_source(text, language)]


# language → snippet, and (symbol, kind, first line) of every chunk.
SNIPPETS: dict[str, tuple[str, list[tuple[str | None, str | None, str]]]] = {
    "python": (
        """
import os

# Why it is.
@register
class Store(Base):
    size = 1

    @property
    def first(self):
        FILL self.step()

    # How it ends.
    async def last(self):
        FILL self.step()


if os.name == "nt":
    def helper():
        FILL step()
""",
        [
            ("Store", "class", "import os"),
            ("Store.first", "method", "@property"),
            ("Store.last", "method", "# How it ends."),
            ("helper", "function", 'if os.name == "nt":'),
        ],
    ),
    "javascript": (
        """
// Adds.
export const add = async (a) => {
  FILL step();
};

/** A tree. */
export default class Tree extends Node {
  constructor() {
    FILL step();
  }

  grow() {
    FILL step();
  }
}

module.exports.cut = function (a) {
  FILL step();
};

Tree.prototype.fell = function () {
  FILL step();
};
""",
        [
            ("add", "function", "// Adds."),
            ("Tree", "class", "/** A tree. */"),
            ("Tree.constructor", "constructor", "constructor() {"),
            ("Tree.grow", "method", "grow() {"),
            ("cut", "function", "module.exports.cut = function (a) {"),
            ("Tree.fell", "method", "Tree.prototype.fell = function () {"),
        ],
    ),
    "typescript": (
        """
export interface Shape {
  FILL side: number;
}

@Component({
  selector: "a",
})
export abstract class View<T> implements Shape {
  @Input()
  draw(): void {
    FILL step();
  }

  private hide = () => {
    FILL step();
  };
}

namespace Inner {
  export function run(): void {
    FILL step();
  }
}

export enum Colour {
  FILL Red,
}
""",
        [
            ("Shape", "interface", "export interface Shape {"),
            ("View", "class", "@Component({"),
            ("View.draw", "method", "@Input()"),
            ("View.hide", "method", "private hide = () => {"),
            ("Inner.run", "function", "namespace Inner {"),
            ("Colour", "enum", "export enum Colour {"),
        ],
    ),
    "typescriptreact": (
        """
export const Page = memo((props: Props) => {
  FILL step();
  return <div className="a">{props.name}</div>;
});
""",
        [("Page", "function", "export const Page = memo((props: Props) => {")],
    ),
    "go": (
        """
package a

// Pool holds.
type Pool[T any] struct {
	FILL size int
}

// Take takes.
func (p *Pool[T]) Take() error {
	FILL step()
}

func New() *Pool {
	FILL step()
}
""",
        [
            ("Pool", "struct", "package a"),
            ("Pool.Take", "method", "// Take takes."),
            ("New", "function", "func New() *Pool {"),
        ],
    ),
    "rust": (
        """
/// A buffer.
#[derive(Debug)]
pub struct Buffer<T> {
    FILL size: usize,
}

impl<T> Read for io::Buffer<T> {
    /// Fills.
    #[inline]
    pub fn fill(&mut self) {
        FILL step();
    }

    fn drain(&self) {
        FILL step();
    }
}

mod tests {
    #[test]
    fn works() {
        FILL step();
    }
}

pub trait Sink {
    FILL fn put(&self);
}
""",
        [
            ("Buffer", "struct", "/// A buffer."),
            ("Buffer.fill", "method", "impl<T> Read for io::Buffer<T> {"),
            ("Buffer.drain", "method", "fn drain(&self) {"),
            ("tests.works", "function", "mod tests {"),
            ("Sink", "interface", "pub trait Sink {"),
        ],
    ),
    "java": (
        """
package a;

/** A list. */
@Immutable
public class Items<T> {
  /** Makes one. */
  Items() {
    FILL step();
  }

  @Override
  public int size() {
    FILL step();
  }
}

enum Colour {
  FILL RED,
}
""",
        [
            ("Items", "class", "package a;"),
            ("Items.Items", "constructor", "/** Makes one. */"),
            ("Items.size", "method", "@Override"),
            ("Colour", "enum", "enum Colour {"),
        ],
    ),
    "c": (
        """
#ifdef WITH_POOL
/* A pool. */
typedef struct pool {
  FILL int size;
} pool_t;

static const char *
pool_name(pool_t *p)
{
  FILL step();
}
#endif
""",
        [
            ("pool_t", "struct", "#ifdef WITH_POOL"),
            ("pool_name", "function", "static const char *"),
        ],
    ),
    "cpp": (
        """
namespace a::b {

// A box.
template <class T>
class Box : public Base {
 public:
  Box() {
    FILL step();
  }
  bool operator==(const Box& o) const {
    FILL step();
  }
};

template <class T>
int Box<T>::open() {
  FILL step();
}

}  // namespace a::b

extern "C" {
int entry(void) {
  FILL step();
}
}

TEST(BoxTest, Opens) {
  FILL step();
}
""",
        [
            ("a.b.Box", "class", "namespace a::b {"),
            ("a.b.Box.Box", "method", "Box() {"),
            ("a.b.Box.operator==", "method", "bool operator==(const Box& o) const {"),
            ("a.b.Box.open", "method", "template <class T>"),
            ("entry", "function", 'extern "C" {'),
            ("BoxTest.Opens", "function", "TEST(BoxTest, Opens) {"),
        ],
    ),
    "csharp": (
        """
using System;

namespace A.B
{
    /// <summary>Mails.</summary>
    [Serializable]
    public class Mailer : IMailer
    {
        public Mailer(int a)
        {
            FILL Step();
        }

        [Obsolete]
        public async Task Send<T>(T a)
        {
            FILL Step();
        }
    }

    public interface IMailer
    {
        FILL void Send();
    }
}
""",
        [
            ("Mailer", "class", "using System;"),
            ("Mailer.Mailer", "constructor", "public Mailer(int a)"),
            ("Mailer.Send", "method", "[Obsolete]"),
            ("IMailer", "interface", "public interface IMailer"),
        ],
    ),
    "ruby": (
        """
module Shop
  # A cart.
  class Cart < Base
    def self.open
      FILL step
    end

    # Adds.
    private def add(a)
      FILL step
    end
  end
end
""",
        [
            ("Shop.Cart", "class", "module Shop"),
            ("Shop.Cart.open", "method", "def self.open"),
            ("Shop.Cart.add", "method", "# Adds."),
        ],
    ),
    "php": (
        """
<?php
namespace A\\B;

/** A page. */
#[Route("/")]
final class Page extends Base
{
    // Shows.
    public function show(): void
    {
        FILL step();
    }

    private static function hide()
    {
        FILL step();
    }
}

if (!function_exists('g')) {
    function g()
    {
        FILL step();
    }
}
""",
        [
            ("Page", "class", "<?php"),
            ("Page.show", "method", "// Shows."),
            ("Page.hide", "method", "private static function hide()"),
            ("g", "function", "if (!function_exists('g')) {"),
        ],
    ),
}


@pytest.mark.parametrize("language", SNIPPETS)
def test_definitions(language: str) -> None:
    snippet, expected = SNIPPETS[language]
    assert chunks_of(snippet, language) == expected
