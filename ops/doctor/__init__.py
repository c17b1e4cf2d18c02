"""What is wrong with a deployment, and what to do about it: each finding is one line for a person on call."""

from ops.doctor.encryption import LOST_KEY
from ops.doctor.examination import examine
from ops.doctor.findings import PROBLEM, Finding
from ops.doctor.leftovers import Tidied, tidy

__all__ = ["LOST_KEY", "PROBLEM", "Finding", "Tidied", "examine", "tidy"]
