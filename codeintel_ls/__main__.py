"""`python -m codeintel_ls` is `codeintel-ls`."""

from codeintel_ls.cli import main

if __name__ == "__main__":
    main()
