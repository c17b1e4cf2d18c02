"""Why an invitation waits again although no call failed."""

AGAIN = "it is sent again"
AGREED = "the customer agreed: waits for its turn"
AWAY = "Redis was away"
LEFT = "left to another worker"
NOT_LISTED = "the provider does not list it: it is sent again"
NO_TIME_LEFT = "Redis took the time that the call had"
REPLAYED = "replayed"

NO_FAULT = frozenset({"", AGAIN, AGREED, AWAY, LEFT, NOT_LISTED, NO_TIME_LEFT, REPLAYED})
