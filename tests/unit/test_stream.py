"""A reader of a stream finds what dead readers left, however much waits in front of it."""

from redis import Redis

from worker.stream import BATCH, Entries, StreamReader

STREAM, GROUP, LAST = "invitations:stream", "readers", "2-0"
# XAUTOCLAIM looks at ten times as many as it is to claim.
SEEN_AT_ONCE = 10 * BATCH


class Reader(StreamReader):
    """Keeps the ids of what it is given."""

    def __init__(self, redis: Redis) -> None:
        super().__init__("test", STREAM, GROUP, redis, idle_ms=60_000)
        self.taken: list[str] = []

    def take(self, entries: Entries) -> None:
        self.taken += [entry for entry, _ in entries]


def test_what_a_dead_reader_left_is_found_behind_a_thousand_that_others_hold(real_redis: Redis) -> None:
    real_redis.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
    held = [f"1-{number}" for number in range(1, SEEN_AT_ONCE + 2)]
    for entry in [*held, LAST]:
        real_redis.xadd(STREAM, {"a": "b"}, id=entry)
    real_redis.xreadgroup(GROUP, "lives", {STREAM: ">"})
    real_redis.xclaim(STREAM, GROUP, "dead", 0, [LAST], idle=3_600_000)
    reader = Reader(real_redis)
    real_redis.xadd(STREAM, {"a": "new"}, id="3-0")
    real_redis.xadd(STREAM, {"a": "new"}, id="4-0")

    reader.turn()
    reader.turn()

    assert LAST in reader.taken
    assert not set(held) & set(reader.taken)
