"""Long tests of reliability: minutes each, and not part of `make test`."""
