"""What the workers of a Python peer are told."""

import json
import os
from typing import Any

from ops.bench.peer import Load

Job = dict[str, Any]

LOAD = Load(**json.loads(os.environ["BENCH_LOAD"]))
