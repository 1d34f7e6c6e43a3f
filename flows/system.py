"""What a machine must have before anything is installed. Standard library only: runs first.

`python3 flows/system.py` checks the Python, the disk and the system packages; as root (or with
passwordless sudo) on Debian or Ubuntu it installs what is missing, elsewhere it prints the line
to run and exits 2.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST_PYTHON = (3, 11)
# Measured: .venv 2.6 GB, .venv-vllm 3.5 GB, runs and caches under 2 GB, pip's own copies.
SETUP_DISK_GB = 12
# package of Debian and Ubuntu -> (program it brings, what for)
PACKAGES = {
    "bubblewrap": ("bwrap", "the sandbox that runs model-written code"),
    "g++": ("g++", "C++ solutions and vLLM's compiled kernels"),
    "python3-venv": ("", "the two environments"),
}


def python_problem() -> str | None:
    """Why this Python will not do, or None."""
    if sys.version_info[:2] >= OLDEST_PYTHON:
        return None
    found = ".".join(map(str, sys.version_info[:3]))
    wanted = ".".join(map(str, OLDEST_PYTHON))
    return f"Python {found} is too old: {wanted} or newer is needed (make PYTHON=python3.12 …)"


def disk_problem(folder: Path, needed_gb: float) -> str | None:
    """Why the disk under a folder will not do, or None."""
    free_gb = shutil.disk_usage(folder).free / 1e9
    if free_gb >= needed_gb:
        return None
    return f"{free_gb:.1f} GB free where {folder.name or folder} lies: {needed_gb:g} GB are needed"


def missing_packages() -> list[str]:
    """Debian names of the system packages that are not there."""
    missing = [name for name, (program, _) in PACKAGES.items() if program and not _which(program)]
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        missing.append("python3-venv")
    return missing


def install_line(packages: list[str]) -> str:
    """The one line that installs them on Debian or Ubuntu."""
    return f"sudo apt-get update && sudo apt-get install -y {' '.join(packages)}"


def may_install() -> bool:
    """Whether apt-get can be used here without asking anybody."""
    if not _which("apt-get"):
        return False
    if os.geteuid() == 0:
        return True
    asked = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
    return asked.returncode == 0


def install(packages: list[str]) -> bool:
    """Install with apt-get, quietly; says whether it worked."""
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (
        ["update", "-qq"],
        ["install", "-y", "-qq", "--no-install-recommends", *packages],
    ):
        done = subprocess.run(
            [*sudo, "apt-get", *words], env=environment, stdout=subprocess.DEVNULL, check=False
        )
    return done.returncode == 0


def main() -> int:
    """Check everything, mend what may be mended, print all that is left at once."""
    here = Path.cwd()
    problems = [p for p in (python_problem(), disk_problem(here, _setup_gb(here))) if p]
    missing = missing_packages()
    if missing and not problems and may_install():
        print(f"setup: installing {', '.join(missing)} with apt-get", flush=True)
        if install(missing):
            missing = missing_packages()
    if missing:
        uses = "; ".join(f"{name}: {PACKAGES[name][1]}" for name in missing)
        problems.append(f"system packages are missing ({uses}). Run: {install_line(missing)}")
    for problem in problems:
        print(f"setup: {problem}", file=sys.stderr)
    return 2 if problems else 0


def _setup_gb(folder: Path) -> float:
    """What set-up still has to write: nothing where both environments are there."""
    there = [any((folder / name).glob(".ready*")) for name in (".venv", ".venv-vllm")]
    return 2 if all(there) else SETUP_DISK_GB


def _which(program: str) -> str | None:
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin:/bin")


if __name__ == "__main__":
    sys.exit(main())
