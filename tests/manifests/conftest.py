"""What only `make manifests` runs: it needs kubectl, the schemas and systemd-analyze."""

from pathlib import Path

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    return True if collection_path.name.startswith("test_") and not config.getoption("--long") else None
