"""``python -m apexr``: the command line."""

from apexr.cli import main

if __name__ == "__main__":
    main()
