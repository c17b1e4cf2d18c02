"""The documentation for people: tutorial, guides, reference and explanation. `make docs` builds it."""
