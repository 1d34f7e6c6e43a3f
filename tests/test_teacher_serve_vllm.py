"""Against real vLLM: our command lines parse; slow, the embedded model answers."""

import json
import os
import subprocess
import urllib.request
from pathlib import Path

import pytest

from prompts.errors import PrerequisiteError
from teacher.embedded import embedded_model_dir
from teacher.serve import ServeRecipe, server_command, serving, vllm_python
from teacher.topology import TEACHERS, plan_topology

PARSE = """
import json, sys
from vllm.entrypoints.launchers.cli_args import make_arg_parser, validate_parsed_serve_args
from vllm.utils.argparse_utils import FlexibleArgumentParser
parser = make_arg_parser(FlexibleArgumentParser())
for line in json.load(sys.stdin):
    args = parser.parse_args(line)
    validate_parsed_serve_args(args)
    names = ("tensor_parallel_size", "pipeline_parallel_size", "nnodes", "node_rank", "headless",
             "max_num_seqs", "max_model_len", "enable_log_requests", "enforce_eager")
    print(json.dumps({name: getattr(args, name) for name in names}))
"""


def real_vllm() -> Path:
    try:
        python = vllm_python(ServeRecipe())
    except PrerequisiteError as error:
        pytest.skip(f"no vLLM environment: {error}")
    if not list(python.parent.parent.glob("lib/python*/site-packages/vllm")):
        pytest.skip(f"no vLLM beside {python}")
    return python


@pytest.mark.slow  # imports vLLM's parser
def test_vllm_accepts_every_command_line_we_print_or_run() -> None:
    python = real_vllm()
    r1 = TEACHERS["deepseek-r1"]
    lines = [server_command(python, "/models/m", "m", ServeRecipe(), 8000)[3:]]
    lines += [list(c[2:]) for c in plan_topology(16, 79.1, 8, r1).commands("10.0.0.1")]
    lines += [list(c[2:]) for c in plan_topology(8, 139.8, 8, r1).commands()]
    # `vllm serve MODEL` takes the model as a positional; the bare parser only as --model.
    lines = [line if line[0].startswith("--") else ["--model", *line] for line in lines]
    parsed = subprocess.run(
        [str(python), "-c", PARSE], input=json.dumps(lines), capture_output=True, text=True
    )
    assert parsed.returncode == 0, parsed.stderr[-2000:]
    embedded, rank_0, rank_1, one_node = map(json.loads, parsed.stdout.splitlines()[-4:])
    assert embedded["enforce_eager"]
    assert not embedded["enable_log_requests"]
    assert (rank_0["tensor_parallel_size"], rank_0["pipeline_parallel_size"]) == (8, 2)
    assert (rank_0["nnodes"], rank_0["node_rank"], rank_0["headless"]) == (2, 0, False)
    assert (rank_1["nnodes"], rank_1["node_rank"], rank_1["headless"]) == (2, 1, True)
    assert (one_node["tensor_parallel_size"], one_node["nnodes"]) == (8, 1)


@pytest.mark.slow
def test_the_embedded_model_is_served_and_completes(tmp_path: Path) -> None:
    """About a minute on two cores."""
    real_vllm()
    with serving(embedded_model_dir(), "smollm2", ServeRecipe(), tmp_path / "vllm.log") as server:
        body = {
            "model": "smollm2",
            "messages": [{"role": "user", "content": "Name the capital of France."}],
            "max_tokens": 16,
            "temperature": 0,
        }
        request = urllib.request.Request(
            f"{server.url}/v1/chat/completions",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=120) as reply:
            answer = json.load(reply)["choices"][0]["message"]["content"]
        assert "Paris" in answer
        pid = server.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
