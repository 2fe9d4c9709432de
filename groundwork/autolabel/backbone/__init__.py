"""The frozen network whose features every model learns from: EfficientNet-Lite0 on ImageNet.

``checkpoint`` reads the published weights, ``graph`` writes them as ONNX, ``build`` does both once,
when the project is deployed or first used, and ``network`` runs the result. Only ``network`` is
needed in a function.
"""
