"""Checks of the editors' plugins, in the editors themselves."""
