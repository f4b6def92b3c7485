"""The package `include` beside this folder, for Airflow, which puts the folder of plugins on each process's path."""

from pathlib import Path

__path__ = [str(Path(__file__).resolve().parents[2] / "include")]
