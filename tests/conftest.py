"""Settings for all tests: no telemetry, no window, nothing of the user's own."""

import os

from hypothesis import settings

os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
os.environ["DO_NOT_TRACK"] = "1"
os.environ["MPLBACKEND"] = "Agg"

# The same examples each time: a test that fails, fails for everybody.
settings.register_profile("same", derandomize=True)
settings.load_profile("same")
