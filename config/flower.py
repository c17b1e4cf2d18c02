"""Flower's options; Flower reads this file itself. FLOWER_* variables and command line options overrule it."""

import os

from config.settings import settings

address = "127.0.0.1"
# Under kwargs stands the account of a delivery, under exception why it waits.
tasks_columns = "name,uuid,state,kwargs,exception,received,result,runtime,worker"
natural_time = False
purge_offline_workers = 300
max_tasks = 20_000
# Its store is read with pickle: the folder is to be writable by its own user alone.
db = str(settings().flower_db)
persistent = "flower_db" in settings().model_fields_set or os.access(settings().flower_db.parent, os.W_OK)
state_save_interval = 60_000

# Flower would take this file's word over that of its own variables.
for option in [name for name in globals() if f"FLOWER_{name.upper()}" in os.environ]:
    del globals()[option]
