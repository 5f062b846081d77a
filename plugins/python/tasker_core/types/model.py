"""The base of the package's models."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

__all__ = ["Model"]


class Model(BaseModel):
    """A pydantic model whose validator is built at its first use, so that importing the package stays quick."""

    model_config = ConfigDict(defer_build=True)
