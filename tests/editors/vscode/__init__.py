"""Checks of the VS Code extension: manifest, package, and behaviour in real VS Code."""
