"""What the pages show. A view is one frozen object: the page renders it, its `.json` twin prints the very same one."""
