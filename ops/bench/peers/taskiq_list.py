"""taskiq over a Redis list: less work for each job, and what a worker that died had taken is lost."""

from taskiq_redis import ListQueueBroker

from ops.bench.peers.load import LOAD
from ops.bench.peers.taskiq_jobs import scheduler_of

# The time that redis-py gives an answer ends its wait for the next job too.
broker = ListQueueBroker(LOAD.redis_url, queue_name="taskiq-list", socket_timeout=None)
scheduler, enqueue = scheduler_of(broker)
