"""EfficientNet-Lite0 as ONNX graphs, with batch norms folded into the convolutions.

Architecture: Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural
Networks", https://arxiv.org/abs/1905.11946, in the Lite form (no squeeze-and-excitation, ReLU6):
https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import (
    GraphProto,
    ModelProto,
    NodeProto,
    TensorProto,
    ValueInfoProto,
    checker,
    helper,
    numpy_helper,
)

INPUT = "pixels"
# Features at an eighth, sixteenth and 32nd of the input's resolution; the last convolution's mean.
STRIDE_16 = "stride_16"
STRIDE_16_HALVED = "stride_16_halved"
STRIDE_32 = "stride_32"
POOLED = "pooled"
CHANNELS: Mapping[str, int] = {
    STRIDE_16: 112,
    STRIDE_16_HALVED: 112,
    STRIDE_32: 320,
    POOLED: 1280,
}

_OPSET = 17
_IR_VERSION = 8
# Not ONNX's default of 1e-5: the weights were trained with TensorFlow's.
_BATCH_NORM_EPSILON = 1e-3
_PIXEL_MEAN = 127.0
_PIXEL_SCALE = 1 / 128.0

Tensors = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class _Stage:
    """Blocks of one resolution; the first has the stride."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    channels: int


_STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)
_STEM_CHANNELS = 32


def build_graph(tensors: Tensors, outputs: Sequence[str]) -> ModelProto:
    """Return a graph from pixels to some of the network's features.

    Its input ``pixels`` is uint8 RGB of shape (batch, height, width, 3), both sides multiples of
    32; each output has the shape (batch, channels, rows, columns), ``pooled`` (batch, channels).

    Parameters
    ----------
    tensors
        The weights by their names in the published checkpoint.
    outputs
        Which of ``CHANNELS`` to compute. The graph ends where they do: a runtime does not skip what
        nobody asks for.
    """
    writer = _Writer(tensors)
    writer.add_network()
    nodes = writer.needed_for(outputs)
    used = {name for node in nodes for name in node.input}
    graph: GraphProto = helper.make_graph(
        nodes,
        "efficientnet-lite0",
        [helper.make_tensor_value_info(INPUT, TensorProto.UINT8, ["batch", "height", "width", 3])],
        [_output(name) for name in outputs],
        [each for each in writer.initializers if each.name in used],
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
        producer_name="groundwork",
    )
    checker.check_model(model, full_check=True)
    return model


@dataclass
class _Writer:
    """Writes the network node by node, in the order in which it computes."""

    tensors: Tensors
    nodes: list[NodeProto] = field(default_factory=list)
    initializers: list[TensorProto] = field(default_factory=list)

    def add_network(self) -> None:
        here = self._add_convolution(self._add_input(), "_conv_stem", "_bn0", kernel=3, stride=2)
        channels, index = _STEM_CHANNELS, 0
        at_stride = {}
        stride = 2
        for stage in _STAGES:
            for repeat in range(stage.repeats):
                block_stride = stage.stride if repeat == 0 else 1
                if block_stride == 2:
                    at_stride[stride] = here
                    stride *= 2
                here = self._add_block(here, index, stage, block_stride, channels)
                channels, index = stage.channels, index + 1
        at_stride[stride] = here
        self._add("Identity", [at_stride[16]], STRIDE_16)
        self._add(
            "AveragePool", [at_stride[16]], STRIDE_16_HALVED, kernel_shape=[2, 2], strides=[2, 2]
        )
        self._add("Identity", [at_stride[32]], STRIDE_32)
        head = self._add_convolution(here, "_conv_head", "_bn1", kernel=1)
        mean = self._add("GlobalAveragePool", [head], "pooled_map")
        self._constant("pooled_shape", np.array([0, -1], np.int64))
        self._add("Reshape", [mean, "pooled_shape"], POOLED)

    def needed_for(self, outputs: Sequence[str]) -> list[NodeProto]:
        """Return the nodes that outputs follow from, in order."""
        wanted = set(outputs)
        kept = []
        for node in reversed(self.nodes):
            if wanted & set(node.output):
                kept.append(node)
                wanted |= set(node.input)
        return kept[::-1]

    def _add_input(self) -> str:
        self._constant("zero", np.float32(0))
        self._constant("six", np.float32(6))
        self._constant("pixel_mean", np.float32(_PIXEL_MEAN))
        self._constant("pixel_scale", np.float32(_PIXEL_SCALE))
        channels_first = self._add("Transpose", [INPUT], "channels_first", perm=[0, 3, 1, 2])
        number = self._add("Cast", [channels_first], "number", to=TensorProto.FLOAT)
        centred = self._add("Sub", [number, "pixel_mean"], "centred")
        return self._add("Mul", [centred, "pixel_scale"], "normalized")

    def _add_block(self, start: str, index: int, stage: _Stage, stride: int, channels: int) -> str:
        """Add an inverted bottleneck: expand, filter each channel, project, add what came in."""
        prefix = f"_blocks.{index}."
        here = start
        if stage.expansion != 1:
            here = self._add_convolution(here, f"{prefix}_expand_conv", f"{prefix}_bn0", kernel=1)
        here = self._add_convolution(
            here,
            f"{prefix}_depthwise_conv",
            f"{prefix}_bn1",
            kernel=stage.kernel,
            stride=stride,
            groups=channels * stage.expansion,
        )
        here = self._add_convolution(
            here, f"{prefix}_project_conv", f"{prefix}_bn2", kernel=1, activation=False
        )
        if stride == 1 and channels == stage.channels:
            here = self._add("Add", [here, start], f"block_{index}")
        return here

    def _add_convolution(
        self,
        start: str,
        name: str,
        norm: str,
        *,
        kernel: int,
        stride: int = 1,
        groups: int = 1,
        activation: bool = True,
    ) -> str:
        def norm_of(part: str) -> NDArray[np.float64]:
            return self.tensors[f"{norm}.{part}"].astype(np.float64)

        scale = norm_of("weight") / np.sqrt(norm_of("running_var") + _BATCH_NORM_EPSILON)
        weight = self.tensors[f"{name}.weight"].astype(np.float64) * scale[:, None, None, None]
        bias = norm_of("bias") - norm_of("running_mean") * scale
        plain = name.strip("_").replace("._", ".")
        self._constant(f"{plain}.weight", weight.astype(np.float32))
        self._constant(f"{plain}.bias", bias.astype(np.float32))
        # TensorFlow's SAME padding, right for even sides: what is odd goes to the bottom and right.
        padding = kernel - stride
        before, after = padding // 2, padding - padding // 2
        here = self._add(
            "Conv",
            [start, f"{plain}.weight", f"{plain}.bias"],
            plain,
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[before, before, after, after],
            group=groups,
        )
        return self._add("Clip", [here, "zero", "six"], f"{plain}.relu6") if activation else here

    def _add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def _constant(self, name: str, value: Any) -> None:
        self.initializers.append(numpy_helper.from_array(np.asarray(value), name))


def _output(name: str) -> ValueInfoProto:
    shape: list[Any] = ["batch", CHANNELS[name]]
    if name != POOLED:
        shape += [f"{name}_rows", f"{name}_columns"]
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
