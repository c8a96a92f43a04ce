"""The .vsix: the extension's bundle with this project's wheel beside it."""

import shutil
import sys
import zipfile
from pathlib import Path
from typing import Final

from tests.editors.vscode.layout import EXTENSION, KEPT, MEDIA, ROOT, SCREENSHOTS, CheckError
from tests.editors.vscode.toolchain import node, run_quietly, tool

LARGEST_BUNDLE: Final = 700_000
LARGEST_PICTURE: Final = 200_000
_PICTURES: Final = {
    "search": "quick-pick-light",
    "blame": "file-blame-dark",
    "history": "comparison-light",
}
"""The pictures of the README, and the screenshots of the tests that they are."""
PACKAGE: Final = KEPT / "codeintel-ls.vsix"
_SERVER: Final = EXTENSION / "server"
_NEEDED: Final = ("package.json", "package.nls.json", "readme.md", "changelog.md", "LICENSE.txt")
_UNWANTED: Final = ("/src/", "/test/", "/node_modules/", "/out/", ".map", "tsconfig", ".ts")


def build_wheel() -> Path:
    """This project's wheel, in the folder that the package carries."""
    shutil.rmtree(_SERVER, ignore_errors=True)
    _SERVER.mkdir(parents=True)
    run_quietly(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(_SERVER), str(ROOT)],
        ROOT,
    )
    wheels = list(_SERVER.glob("codeintel_ls-*.whl"))
    if len(wheels) != 1:
        raise CheckError(f"Expected one wheel, built {[wheel.name for wheel in wheels]}.")
    return wheels[0]


def compile_tests() -> None:
    """Bundle the tests into out/."""
    run_quietly([str(node()), "test/bundle.mjs"], EXTENSION)


def package() -> Path:
    """The .vsix, made anew."""
    build_wheel()
    PACKAGE.unlink(missing_ok=True)
    output = run_quietly(
        [*tool("vsce"), "package", "--no-dependencies", "-o", str(PACKAGE)], EXTENSION
    )
    if "WARNING" in output:
        raise CheckError(f"vsce warns:\n{output}")
    return PACKAGE


def faults_of(package: Path) -> list[str]:
    """What the package lacks, or holds that it should not."""
    with zipfile.ZipFile(package) as archive:
        names = archive.namelist()
    inside = [name.removeprefix("extension/") for name in names if name.startswith("extension/")]
    faults = [f"it lacks {name}" for name in _NEEDED if name not in inside]
    faults += [
        f"it holds {name}"
        for name in names
        if any(word in name for word in _UNWANTED) and not name.endswith(".nls.json")
    ]
    if not any(name.startswith("server/") and name.endswith(".whl") for name in inside):
        faults.append("it lacks the server's wheel")
    return faults


def take_pictures() -> None:
    """Make the README's pictures from what the tests in the browser have seen last."""
    (MEDIA / "pictures").mkdir(exist_ok=True)
    for name, screenshot in _PICTURES.items():
        shutil.copyfile(SCREENSHOTS / f"{screenshot}.png", MEDIA / "pictures" / f"{name}.png")


def picture_faults() -> list[str]:
    """Whether the README has its pictures, and they are small enough."""
    readme = (EXTENSION / "README.md").read_text("utf-8")
    faults = [
        f"the README does not show {name}.png"
        for name in _PICTURES
        if f"(media/pictures/{name}.png)" not in readme
    ]
    faults += [
        f"{picture.name} has {picture.stat().st_size:,} bytes, more than {LARGEST_PICTURE:,}"
        for picture in MEDIA.rglob("*.png")
        if picture.stat().st_size > LARGEST_PICTURE
    ]
    return faults


def bundle_faults() -> list[str]:
    """Whether the bundle is small enough."""
    size = sum(path.stat().st_size for path in (EXTENSION / "dist").glob("*.js"))
    if not size:
        return ["there is no bundle in dist/"]
    return [f"the bundle has {size:,} bytes, more than {LARGEST_BUNDLE:,}"] * (
        size > LARGEST_BUNDLE
    )
