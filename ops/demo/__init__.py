"""`invitations demo`: the whole of it on one machine, with providers that are none."""

from ops.demo.run import run_demo

__all__ = ["run_demo"]
