"""What a sandboxed Python runs first: limits on itself, our modules, then one of them's `main`.

Started as `python -I -S -c <this file>` with a job in JSON on its standard input: `limits`,
`modules` (name and source, in the order they import each other), and for `main` what it needs.
"""

import json
import os
import resource
import sys
import types

job = json.load(sys.stdin)
for limit, value in job["limits"].items():
    # A second between SIGXCPU and SIGKILL: so the CPU limit has an exit code of its own.
    hard = value + (limit == "RLIMIT_CPU")
    resource.setrlimit(getattr(resource, limit), (value, hard))
if hasattr(sys, "set_int_max_str_digits"):
    sys.set_int_max_str_digits(0)
for name, source in job["modules"].items():
    module = types.ModuleType(name)
    sys.modules[name] = module
    exec(compile(source, name, "exec", dont_inherit=True), module.__dict__)
channel = sys.modules["filters.inside.wire"].Channel(*job["pipes"])
sys.modules[job["role"]].main(channel, job)
sys.stdout.flush()
os._exit(0)
