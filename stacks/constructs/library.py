"""The layers that the functions share: the groundwork library, and its packages."""

import sys
from functools import cache
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks import layers
from stacks.paths import PROJECT
from stacks.staging import staged

# The local cloud, the command line and what only they import never run in a function.
_LEFT_OUT = (
    "audits",
    "cli",
    "costs",
    "datasets",
    "demo",
    "folder_client.py",
    "image_folder.py",
    "job_progress.py",
    "local",
    "report_page",
    "samples.py",
)


class Library(Construct):
    """The `groundwork` package as one layer, and what it imports as another."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        own = lambda_.LayerVersion(
            self,
            "Groundwork",
            code=lambda_.Code.from_asset(str(staged_library())),
            description="The groundwork library",
        )
        self.layers: list[lambda_.ILayerVersion] = [
            own,
            _published(self, "Dependencies", layers.PACKAGES),
        ]

    def network_layers(self) -> list[lambda_.ILayerVersion]:
        """Add what only automated labeling needs: ONNX Runtime, and the network that it runs."""
        return [
            _published(self, "OnnxRuntime", layers.ONNX_RUNTIME),
            _published(self, "Backbone", layers.BACKBONE),
        ]


def _published(scope: Construct, construct_id: str, layer: layers.Layer) -> lambda_.ILayerVersion:
    """Declare a layer by its recipe: the CLI makes the archive, synthesis needs no network."""
    location = cdk.Stack.of(scope).synthesizer.add_file_asset(
        source_hash=layers.layer_hash(layer),
        display_name=f"Layer {layer.name}",
        executable=[sys.executable, layers.__file__, layer.name],
    )
    version = lambda_.CfnLayerVersion(
        scope,
        construct_id,
        content=lambda_.CfnLayerVersion.ContentProperty(
            s3_bucket=location.bucket_name, s3_key=location.object_key
        ),
        description=layer.description,
    )
    return lambda_.LayerVersion.from_layer_version_arn(scope, f"{construct_id}Layer", version.ref)


def belongs_in_functions(path: Path) -> bool:
    """Tell whether a file, by its path in the package, is one that functions may need."""
    return path.parts[0] not in _LEFT_OUT and "__pycache__" not in path.parts


@cache
def staged_library() -> Path:
    """Copy the package below `python/`, where a layer's modules are found, named by content."""
    package = PROJECT / "groundwork"
    files = [
        path
        for path in package.rglob("*")
        if path.is_file() and belongs_in_functions(path.relative_to(package))
    ]
    return staged(
        "library", {f"python/{path.relative_to(PROJECT).as_posix()}": path for path in files}
    )
