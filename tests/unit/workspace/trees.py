"""Small folders and repositories for tests of a workspace."""

import os
import subprocess
from pathlib import Path

FILES = {
    "shop/cart.py": (
        '"""The shopping cart."""\n\n\nclass Cart:\n    """Items a customer wants to buy."""\n\n'
        "    def __init__(self) -> None:\n        self.items = []\n\n"
        "    def add_item(self, item, count=1):\n"
        '        """Put an article into the cart."""\n'
        "        self.items.append((item, count))\n"
        "        self.touched = True\n        return self\n\n"
        "    def total_price(self):\n"
        '        """The sum of all prices, with discounts."""\n'
        "        total = 0\n        for item, count in self.items:\n"
        "            total += item.price * count\n        return total\n"
    ),
    "shop/mail.py": (
        "import smtplib\n\n\ndef send_confirmation(address, order):\n"
        '    """Tell the customer by e-mail that the order was accepted."""\n'
        "    with smtplib.SMTP('localhost') as server:\n"
        "        server.sendmail('shop@example.org', address, order.text())\n"
        "    return True\n"
    ),
    "web/upload.js": (
        "// Sends a picture to the server in pieces.\n"
        "export async function uploadPicture(file, url) {\n"
        "  const size = 65536;\n"
        "  for (let start = 0; start < file.size; start += size) {\n"
        "    await fetch(url, { method: 'PUT', body: file.slice(start, start + size) });\n"
        "  }\n  return true;\n}\n"
    ),
    "tests/test_cart.py": (
        "from shop.cart import Cart\n\n\ndef test_total_price_of_an_empty_cart():\n"
        "    cart = Cart()\n    assert cart.total_price() == 0\n    assert not cart.items\n"
    ),
    "README.md": "# Shop\n\nA small shop with a cart, orders and mails.\n",
}

GIT_ENVIRONMENT = {
    **os.environ,
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
}


def write_tree(root: Path, files: dict[str, str] = FILES) -> Path:
    """Write the files below `root`."""
    for path, text in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    return root


def git(root: Path, *arguments: str) -> None:
    """Run git in the tree; raises when it fails."""
    subprocess.run(
        ["git", "-C", str(root), *arguments], check=True, env=GIT_ENVIRONMENT, capture_output=True
    )


def commit_all(root: Path, message: str = "A commit") -> None:
    """Make a repository of the folder if it is none yet, and commit everything."""
    if not (root / ".git").exists():
        git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "--allow-empty", "-m", message)
