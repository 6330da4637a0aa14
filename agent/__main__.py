"""`python -I -m agent`: the container's entry point."""

from agent.cli import main

if __name__ == "__main__":
    main()
