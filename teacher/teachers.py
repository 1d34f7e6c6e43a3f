"""The teachers we know: what planning needs of each, as one literal table."""

from dataclasses import dataclass
from typing import NamedTuple

from teacher.embedded import MODEL_NAME


class Range(NamedTuple):
    """An estimate."""

    low: float
    expected: float
    high: float


@dataclass(frozen=True, slots=True)
class TeacherModel:
    """What the arithmetic needs to know of a model; sizes as loaded, all parts together."""

    name: str
    hub_id: str
    license: str
    layers: int
    dense_layers: int  # leading layers without experts
    dense_layer_gib: float
    expert_layer_gib: float
    embedding_gib: float  # once on the first stage, once (as the head) on the last
    kv_bytes_per_token: int  # all layers
    kv_copied: bool  # MLA keeps one latent a token, whole on every tensor-parallel rank
    max_tensor_parallel: int
    node_tokens_per_s: Range  # output tokens a second of one node
    float32_tokens_per_s: Range | None  # the same on a CPU without bfloat16; None: GPUs alone
    mean_completion_tokens: int

    @property
    def weights_gib(self) -> float:
        """All weights of one replica."""
        experts = (self.layers - self.dense_layers) * self.expert_layer_gib
        return self.dense_layers * self.dense_layer_gib + experts + 2 * self.embedding_gib


TEACHERS: dict[str, TeacherModel] = {
    # 61 layers, fp8; a layer: 187 M of attention, 257 experts of 44 M, 34 MB of bf16 copies of
    # kv_b that vLLM keeps for absorbed MLA. KV: (512 + 64) x 2 bytes x 61 layers.
    "deepseek-r1": TeacherModel(
        name="deepseek-r1",
        hub_id="deepseek-ai/DeepSeek-R1",
        license="mit",
        layers=61,
        dense_layers=3,
        dense_layer_gib=0.575,
        expert_layer_gib=10.749,
        embedding_gib=1.726,
        kv_bytes_per_token=70_272,
        kv_copied=True,
        max_tensor_parallel=16,
        node_tokens_per_s=Range(300, 1_000, 2_000),
        float32_tokens_per_s=None,
        mean_completion_tokens=6_000,
    ),
    # 30 layers of 576, bf16, one embedding tied to the head (half counted at each end); KV: 2 x 3
    # heads x 64 x 2 bytes x 30 layers. Rates: two CPU cores, 64-128 requests in flight; with
    # AVX-512, and in float32 with AVX2 alone.
    "embedded": TeacherModel(
        name="embedded",
        hub_id=MODEL_NAME,
        license="apache-2.0",
        layers=30,
        dense_layers=30,
        dense_layer_gib=0.0066,
        expert_layer_gib=0.0,
        embedding_gib=0.0264,
        kv_bytes_per_token=23_040,
        kv_copied=False,
        max_tensor_parallel=1,
        node_tokens_per_s=Range(160, 300, 390),
        float32_tokens_per_s=Range(45, 70, 90),
        mean_completion_tokens=60,
    ),
}
