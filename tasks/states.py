"""What each state of an invitation means, in the words of the README and of the reference."""

from typing import NamedTuple


class Meaning(NamedTuple):
    """`final`: whether it stays so; empty where it does not."""

    text: str
    final: str = ""


MEANINGS = {
    "queued": Meaning("waits in its account's line for its time and its turn"),
    "delivering": Meaning("a worker holds its lease"),
    "accepted": Meaning("the provider took it", "until `sent`, where the provider tells (WebwinkelKeur)"),
    "sent": Meaning("the provider says that it went out", "yes"),
    "duplicate": Meaning("the provider had already invited this customer", "yes"),
    "rejected": Meaning("the provider will never take it; its reason is kept", "yes, can be replayed"),
    "failed": Meaning("attempts or time ran out; the last reason is kept", "yes, can be replayed"),
    "refused": Meaning(
        "the job was not valid; it is kept with its faults: `invitations show ID --job` prints it, to mend and send"
        " again",
        "yes",
    ),
    "suppressed": Meaning("the address asked for no invitations, or its consent was required and not given", "yes"),
    "cancelled": Meaning("a person cancelled it", "yes"),
}
