"""Which processors are given bfloat16, by the flags that Linux names."""

import pytest

from sft.student import load_student
from teacher import processor, serve
from teacher.processor import computes_bfloat16
from teacher.serve import ServeRecipe, server_command

CASES = {
    "a desktop with AVX2": ("flags\t\t: fpu sse2 avx f16c fma avx2 bmi2", False),
    "a server before bfloat16": ("flags\t\t: avx2 avx512f avx512dq avx512bw avx512vl", True),
    "a server with AMX": ("flags\t\t: avx2 avx512f avx512bw avx512_bf16 amx_bf16 amx_tile", True),
    "a new desktop": ("flags\t\t: avx2 avx_vnni avx_ne_convert", True),
    "an Arm server": ("Features\t: fp asimd asimdhp sve bf16 i8mm", True),
    "an older Arm server": ("Features\t: fp asimd asimdhp", False),
    "nothing said": ("processor\t: 0", False),
}


@pytest.fixture(autouse=True)
def _asked_anew():
    computes_bfloat16.cache_clear()
    yield
    computes_bfloat16.cache_clear()


@pytest.mark.parametrize(("line", "known"), CASES.values(), ids=CASES)
def test_a_processor_is_known_by_its_flags(tmp_path, monkeypatch, line, known):
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nmodel name\t: bf16\n{line}\n")
    monkeypatch.setattr(processor, "CPUINFO", tmp_path / "cpuinfo")
    assert computes_bfloat16() is known


def test_without_such_a_file_it_is_not_known(tmp_path, monkeypatch):
    monkeypatch.setattr(processor, "CPUINFO", tmp_path / "none")
    assert computes_bfloat16() is False


@pytest.mark.parametrize(("fast", "cpu_build", "dtype"), [
    (True, True, "bfloat16"), (False, True, "float32"), (False, False, "bfloat16"),
])  # fmt: skip
def test_the_cpu_build_serves_in_float32_where_bfloat16_is_slow(
    tmp_path, monkeypatch, fast, cpu_build, dtype
):
    monkeypatch.setattr(serve, "computes_bfloat16", lambda: fast)
    monkeypatch.setattr(serve, "is_cpu_build", lambda python: cpu_build)
    command = server_command(tmp_path / "python", "model", "name", ServeRecipe(), 1)
    assert command[command.index("--dtype") + 1] == dtype


def test_a_student_trains_in_float32_where_bfloat16_is_slow_and_no_gpu_is_asked_for(monkeypatch):
    monkeypatch.setattr("sft.student.computes_bfloat16", lambda: False)
    assert load_student("smol-135m").arithmetic == "float32"
    assert load_student("qwen-7b").arithmetic == "bfloat16"
    monkeypatch.setattr("sft.student.computes_bfloat16", lambda: True)
    assert load_student("smol-135m").arithmetic == "bfloat16"
