"""What other services rely on, for machines: the JSON Schema of a job, and an AsyncAPI document of the ways in and out.

Both are made from the code (`python -m ops.contract`) and committed; README.md beside this file says what may change.
"""

import json
from pathlib import Path
from typing import Any

from ops.contract.document import asyncapi
from ops.contract.schemas import job_schema

HERE = Path(__file__).parent


def published() -> dict[Path, str]:
    """Each file of the contract, as it is to stand."""
    documents: dict[str, dict[str, Any]] = {"job.schema.json": job_schema(), "asyncapi.json": asyncapi()}
    return {HERE / name: json.dumps(document, indent=2) + "\n" for name, document in documents.items()}
