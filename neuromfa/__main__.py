"""`python -m neuromfa`: the command line, also where no script of that name is on the path."""

from neuromfa.app.cli.main import main

if __name__ == "__main__":
    main()
