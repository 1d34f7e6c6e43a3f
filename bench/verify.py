"""`make bench-verify`: the math verifier's figures, ours beside Math-Verify's where it has them.

The open labelled set by rule; the pace on the mix of a real run; 1,000 hostile inputs; agreement
on real completions, where they are.
"""

import argparse

from rich.console import Console

from bench import verify_hostile, verify_open, verify_pace, verify_traces

PARTS = ("open", "pace", "hostile", "traces")


def main() -> None:
    """Print the tables of the parts asked for; an unknown one is refused by name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"some of {', '.join(PARTS)}; all by default")
    parts = parser.parse_args().parts or PARTS
    if unknown := set(parts) - set(PARTS):
        parser.error(f"unknown part {', '.join(unknown)}; known: {', '.join(PARTS)}")
    console = Console(width=150)
    if "open" in parts:
        verify_open.print_table(console)
    if "pace" in parts:
        verify_pace.print_table(console, verify_pace.run_rounds())
    if "hostile" in parts:
        verify_hostile.print_table(console)
    if "traces" in parts:
        verify_traces.print_table(console)


if __name__ == "__main__":
    main()
