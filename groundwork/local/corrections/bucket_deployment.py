"""CDK's BucketDeployment finds its AWS CLI.

AWS mounts layers at /opt, where CDK's function calls `/opt/awscli/aws`. The emulator unpacks layers
into a folder of the worker's own, so that the call fails, and the script's first line names an
interpreter that only AWS has. The function's source is changed to call the unpacked file with the
interpreter that runs the function. The CLI's line for each file is left out: the emulator gives up
on functions that print more than 200 lines.
"""

import functools
import io
import zipfile
from collections.abc import Callable
from typing import Any

from ministack.core import lambda_runtime

from groundwork.local.hooks import wrap

# https://github.com/aws/aws-cdk, packages/@aws-cdk/custom-resource-handlers/lib/aws-s3-deployment
_CALL = b"subprocess.check_call([aws] + list(args))"
_LOCAL_CALL = (
    b"import sys; subprocess.check_call([sys.executable, next(path for path in (os.path.join("
    b'layer, "awscli", "aws") for layer in os.environ["_LAMBDA_LAYERS_DIRS"].split(os.pathsep))'
    b" if os.path.exists(path))] + list(args), stdout=subprocess.DEVNULL)"
)


def install() -> None:
    """Change the source of CDK's deployment function as a worker takes it over."""
    wrap(
        lambda_runtime.Worker,
        "__init__",
        _with_local_cli,
        ("self", "func_name", "config", "code_zip"),
    )


def _with_local_cli(
    original: Callable[..., None],
    worker: Any,
    func_name: str,
    config: dict[str, Any],
    code_zip: bytes,
    *rest: Any,
    **named: Any,
) -> None:
    if "CustomCDKBucketDeployment" in func_name:
        code_zip = _rewritten(code_zip)
    original(worker, func_name, config, code_zip, *rest, **named)


@functools.lru_cache(maxsize=4)
def _rewritten(code_zip: bytes) -> bytes:
    rewritten = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(code_zip)) as old, zipfile.ZipFile(rewritten, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == "index.py":
                content = content.replace(_CALL, _LOCAL_CALL)
            new.writestr(entry, content)
    return rewritten.getvalue()
