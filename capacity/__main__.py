"""`python -I -m capacity`: the container's entry point."""

from capacity.cli import main

if __name__ == "__main__":
    main()
