"""Whether a peer is here. Python's packages are installed beside this project's, Node's in the folder of the peer."""

import json
from importlib import metadata
from pathlib import Path
from shutil import which

NODE_MODULES = Path(__file__).parent / "bullmq" / "node_modules"


def installed_version(package: str) -> str | None:
    """Of a distribution of Python or else of a package of Node; None where it is not installed, or Node is not."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        manifest = NODE_MODULES / package / "package.json"
        if not (which("node") and manifest.is_file()):
            return None
        return str(json.loads(manifest.read_text("utf-8"))["version"])
