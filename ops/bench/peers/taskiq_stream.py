"""taskiq over a Redis stream, which keeps what a worker that died had taken."""

from taskiq_redis import RedisStreamBroker

from ops.bench.peers.load import LOAD
from ops.bench.peers.taskiq_jobs import scheduler_of

broker = RedisStreamBroker(LOAD.redis_url)
scheduler, enqueue = scheduler_of(broker)
