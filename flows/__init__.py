"""The line itself: Prefect flows, recipes, the run folder and the command line."""

import os

# Prefect tells nobody about runs made here, whoever imports a flow: command, worker or test.
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")
