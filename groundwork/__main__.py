"""``python -m groundwork``: the command line, where its script is not on the path."""

from groundwork.cli import main

if __name__ == "__main__":
    main(prog_name="groundwork")
