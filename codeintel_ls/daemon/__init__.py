"""The life of a process that serves editors."""
