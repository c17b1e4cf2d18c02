"""The outside world: WebwinkelKeur, Wemasy and The Feedback Company on one port, for demos, tests and load.

It knows nothing of the project that calls it. What it answers follows the providers' pages; where they say
nothing, the provider's module here says what was chosen. Credentials that begin with "wrong" are refused, all
others work.
`GET /_stats`, `GET /_calls` and `POST /_control` (see `Changes`) are its own.
"""

from ops.simulator.control import Changes
from ops.simulator.options import SimulatorOptions
from ops.simulator.running import RunningSimulator, serve
from ops.simulator.state import account_key, invitation_ref

__all__ = ["Changes", "RunningSimulator", "SimulatorOptions", "account_key", "invitation_ref", "serve"]
