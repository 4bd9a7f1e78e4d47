"""Long tests of what a reliable program bears; minutes each, for `make soak`."""
