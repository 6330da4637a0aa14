"""What CMS needs each year, CPU, disk and tape, under which assumptions, and whether the fleet is enough."""
