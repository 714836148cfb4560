"""What a function process can import besides its own code: its layers, and Lambda's own packages.

Requirement files are pinned with hashes; each is installed once into a cached directory whose name is the
hash of the file, the interpreter's version and the platform.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tests.sandbox.aws.deploy.template import LocalCode
from tests.sandbox.aws.errors import SandboxError

_REPOSITORY = Path(__file__).resolve().parents[4]
_RUNTIME_DISTRIBUTIONS = (
    "boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3",
    "awslambdaric", "simplejson", "snapshot-restore-py",
)  # fmt: skip
_CLOCK_DISTRIBUTIONS = ("time-machine",)


@dataclass(frozen=True)
class Interpreter:
    """The Python that function processes run on. `tag` names version and platform, such as cp311-linux_x86_64."""

    executable: str
    version: str
    tag: str


@lru_cache(maxsize=4)
def find_interpreter(wanted: str | None = None) -> Interpreter:
    """SANDBOX_PYTHON (or `wanted`) if set, else the base interpreter that runs the sandbox itself."""
    base = str(getattr(sys, "_base_executable", None) or sys.executable)
    executable = wanted or os.environ.get("SANDBOX_PYTHON") or base
    probe = (
        "import json,sys,sysconfig;"
        "print(json.dumps([sys.executable,'%d.%d'%sys.version_info[:2],"
        "sys.implementation.cache_tag+'-'+sysconfig.get_platform()]))"
    )
    try:
        answer = subprocess.run([executable, "-S", "-c", probe], capture_output=True, check=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SandboxError(f"SANDBOX_PYTHON {executable!r} does not run: {error}") from error
    found = json.loads(answer.stdout)
    return Interpreter(found[0], found[1], found[2])


def cache_directory() -> Path:
    """Where installed layers are kept: SANDBOX_CACHE, else build/sandbox in the repository."""
    place = Path(os.environ.get("SANDBOX_CACHE") or _REPOSITORY / "build" / "sandbox")
    place.mkdir(parents=True, exist_ok=True)
    return place


def layer_path(layer: LocalCode, interpreter: Interpreter) -> list[str]:
    """What /opt holds of this layer on sys.path, as `sam build` would lay it out.

    With a BuildMethod the directory's files land in python/, beside what requirements.txt names (its
    dependencies are not resolved: the file is complete, and leaves out what Lambda has). Without one, the
    directory is /opt itself and only its python/ folders count.
    """
    if layer.build_method is None:
        folder = layer.path / "python"
        return [str(folder / "lib" / f"python{interpreter.version}" / "site-packages"), str(folder)]
    requirements = layer.path / "requirements.txt"
    own = [] if layer.build_method == "makefile" and requirements.exists() else [str(layer.path)]
    if requirements.exists():
        return [*own, str(install(requirements, interpreter))]
    return own


def install(requirements: Path, interpreter: Interpreter) -> Path:
    """The directory with the packages of a requirement file, installed on first use. Raises SandboxError
    with the installer's words."""
    text = requirements.read_bytes()
    name = hashlib.sha256(text + interpreter.tag.encode()).hexdigest()[:20]
    target = cache_directory() / f"{requirements.parent.name}-{interpreter.tag}-{name}"
    if target.exists():
        return target
    fresh = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    command = [
        *_installer(interpreter),
        "--require-hashes",
        "--no-deps",
        "--target",
        str(fresh),
        "-r",
        str(requirements),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        raise SandboxError(f"{requirements}: the layer cannot be installed: {done.stderr.strip()[-2000:]}")
    fresh.mkdir(exist_ok=True)
    try:
        fresh.rename(target)
    except OSError:  # another process was quicker
        shutil.rmtree(fresh, ignore_errors=True)
    return target


def _installer(interpreter: Interpreter) -> list[str]:
    uv = Path(sys.executable).with_name("uv")
    if uv.exists():
        return [str(uv), "pip", "install", "--quiet", "--link-mode=copy", "--python", interpreter.executable]
    same = interpreter == find_interpreter(getattr(sys, "_base_executable", sys.executable))
    if same:
        return [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    return [interpreter.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


@lru_cache(maxsize=8)
def runtime_path(interpreter: Interpreter) -> str:
    """Lambda's own packages (boto3 and the runtime client), and nothing else of the tests' environment."""
    return str(_distributions("runtime", _RUNTIME_DISTRIBUTIONS, interpreter))


@lru_cache(maxsize=8)
def clock_path(interpreter: Interpreter) -> str:
    """Where time-machine lies, which the bootstrap uses and takes off sys.path again."""
    return str(_distributions("clock", _CLOCK_DISTRIBUTIONS, interpreter))


def _distributions(name: str, distributions: tuple[str, ...], interpreter: Interpreter) -> Path:
    """A directory with just these packages, in the versions that the tests' environment has."""
    from importlib.metadata import version

    pins = "\n".join(f"{item}=={version(item)}" for item in distributions)
    digest = hashlib.sha256(f"{pins}{interpreter.tag}{sys.prefix}".encode()).hexdigest()[:16]
    target = cache_directory() / f"{name}-{interpreter.tag}-{digest}"
    if target.exists():
        return target
    fresh = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    if interpreter == find_interpreter(getattr(sys, "_base_executable", sys.executable)):
        _link(distributions, fresh)
    else:
        listed = fresh.with_suffix(".txt")
        listed.write_text(pins, encoding="utf-8")
        command = [*_installer(interpreter), "--no-deps", "--target", str(fresh), "-r", str(listed)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        listed.unlink()
        if done.returncode != 0:
            raise SandboxError(f"Lambda's own packages cannot be installed: {done.stderr.strip()[-2000:]}")
    try:
        fresh.rename(target)
    except OSError:
        shutil.rmtree(fresh, ignore_errors=True)
    return target


def _link(distributions: tuple[str, ...], target: Path) -> None:
    """Same interpreter: links to the installed files, file by top-level name, save both time and disk."""
    from importlib.metadata import distribution

    for name in distributions:
        found = distribution(name)
        for file in found.files or []:
            top = file.parts[0]
            if top in ("..", "__pycache__") or (target / top).exists():
                continue
            (target / top).symlink_to(Path(str(found.locate_file(top))).resolve())
