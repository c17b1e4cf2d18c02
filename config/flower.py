"""Flower's options; Flower reads this file itself. FLOWER_* variables and command line options overrule it."""

from logging import INFO, getLogger

# At DEBUG it prints what is sent over the API: a whole job.
getLogger("flower.api.tasks").setLevel(INFO)

address = "127.0.0.1"
tasks_columns = "name,uuid,state,result,exception,received,runtime,worker"
natural_time = False
purge_offline_workers = 300
max_tasks = 20_000
# Its store on disk is written and read with pickle.
persistent = False
