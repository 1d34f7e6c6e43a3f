"""Where runs lie unless `--runs` says otherwise; commands know it without reading what a run is."""

from pathlib import Path

RUNS = Path("runs")
