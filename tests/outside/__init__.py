"""A distribution from outside, as somebody else would write it: three providers of an invented Acme, each of which
needs something that no provider of this project does. tests/integration/test_outside.py installs it beside a worker."""
