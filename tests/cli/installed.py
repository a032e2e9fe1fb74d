"""MT Remote as pip would have installed it, as far as other programs can tell: its entry points are found."""

from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def search_path(site: Path) -> str:
    """``PYTHONPATH`` with this tree and, in ``site``, the distribution's metadata. Paths are absolute."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = site / f"mt_remote-{project['version']}.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: mt-remote\nVersion: {project['version']}\n", encoding="utf-8"
    )
    groups = {"console_scripts": project["scripts"], **project["entry-points"]}
    lines = [f"[{group}]\n" + "\n".join(f"{n} = {o}" for n, o in points.items()) for group, points in groups.items()]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return os.pathsep.join([str(site), *(str(Path(each).resolve()) for each in sys.path if each)])
