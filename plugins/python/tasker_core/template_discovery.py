"""Finds task templates on disk and the handlers that they name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tasker_core.logging import log_debug, log_warn

__all__ = ["HandlerDiscovery", "TemplateParser", "TemplatePath"]

_MARKERS = ("Cargo.toml", "pyproject.toml", ".git", "Gemfile", "package.json")
_LEVELS = 10


class TemplatePath:
    """Where templates are."""

    @staticmethod
    def find_template_config_directory() -> Path | None:
        """The folder of templates, or None.

        The first of these that exists: TASKER_TEMPLATE_PATH; with TASKER_ENV=test the test fixtures;
        WORKSPACE_PATH/config/tasks; config/tasks of the nearest project folder above; config/tasks here.
        """
        configured = os.environ.get("TASKER_TEMPLATE_PATH")
        if configured and Path(configured).is_dir():
            return Path(configured)
        if TemplatePath._is_test_environment():
            fixtures = TemplatePath._find_test_fixtures()
            if fixtures is not None:
                return fixtures
        candidates: list[Path] = []
        workspace = os.environ.get("WORKSPACE_PATH")
        if workspace:
            candidates.append(Path(workspace) / "config" / "tasks")
        root = TemplatePath._detect_workspace_root()
        if root is not None:
            candidates.append(root / "config" / "tasks")
        candidates.append(Path.cwd() / "config" / "tasks")
        return next((path for path in candidates if path.is_dir()), None)

    @staticmethod
    def discover_template_files(template_dir: Path) -> list[Path]:
        """All .yaml and .yml files below a folder, sorted; empty if there is no such folder."""
        if not template_dir.is_dir():
            return []
        return sorted([*template_dir.rglob("*.yaml"), *template_dir.rglob("*.yml")])

    @staticmethod
    def _is_test_environment() -> bool:
        return os.environ.get("TASKER_ENV") == "test"

    @staticmethod
    def _folders_above() -> Iterator[Path]:
        folder = Path.cwd()
        for _ in range(_LEVELS):
            yield folder
            if folder.parent == folder:
                return
            folder = folder.parent

    @staticmethod
    def _find_test_fixtures() -> Path | None:
        below = Path("tests") / "fixtures" / "task_templates" / "python"
        return next((f / below for f in TemplatePath._folders_above() if (f / below).is_dir()), None)

    @staticmethod
    def _detect_workspace_root() -> Path | None:
        for folder in TemplatePath._folders_above():
            if any((folder / marker).exists() for marker in _MARKERS):
                return folder
            if any(folder.glob("*.code-workspace")):
                return folder
        return None


class TemplateParser:
    """Reads templates. A file that cannot be read is logged and counts as empty."""

    @staticmethod
    def _load(path: Path) -> dict[str, Any]:
        import yaml  # Imported here: only discovery needs it, and it costs start-up time.

        try:
            data = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            log_warn(f"template '{path}' could not be read: {error}")
            return {}
        return data if isinstance(data, dict) else {}

    @staticmethod
    def extract_handler_callables(template_file: Path) -> list[str]:
        """The callables that a template's steps name; empty if the file cannot be read."""
        return TemplateParser.extract_handlers_from_template(TemplateParser._load(template_file))

    @staticmethod
    def extract_handlers_from_template(template_data: dict[str, Any]) -> list[str]:
        """The callables that the steps of a template name, in their order."""
        steps = template_data.get("steps")
        found: list[str] = []
        for step in steps if isinstance(steps, list) else []:
            handler = step.get("handler") if isinstance(step, dict) else None
            name = handler.get("callable") if isinstance(handler, dict) else None
            if isinstance(name, str) and name:
                found.append(name)
        return found

    @staticmethod
    def extract_template_metadata(template_file: Path) -> dict[str, Any]:
        """name, namespace, version, description, file_path and handlers of a template; {} if it cannot be read."""
        data = TemplateParser._load(template_file)
        if not data:
            return {}
        return {
            "name": data.get("name", ""),
            "namespace": data.get("namespace_name", ""),
            "version": data.get("version", ""),
            "description": data.get("description", ""),
            "file_path": str(template_file),
            "handlers": TemplateParser.extract_handlers_from_template(data),
        }


class HandlerDiscovery:
    """The handlers of all templates below a folder."""

    @staticmethod
    def discover_all_handlers(template_dir: Path) -> list[str]:
        """The callables of all templates, sorted, each once."""
        files = TemplatePath.discover_template_files(template_dir)
        names = sorted({name for file in files for name in TemplateParser.extract_handler_callables(file)})
        log_debug(f"{len(files)} templates in {template_dir} name {len(names)} handlers")
        return names

    @staticmethod
    def discover_template_metadata(template_dir: Path) -> list[dict[str, Any]]:
        """`extract_template_metadata` of all templates that can be read."""
        files = TemplatePath.discover_template_files(template_dir)
        return [metadata for metadata in map(TemplateParser.extract_template_metadata, files) if metadata]

    @staticmethod
    def discover_handlers_by_namespace(template_dir: Path) -> dict[str, list[str]]:
        """The callables of each namespace, sorted, each once."""
        grouped: dict[str, set[str]] = {}
        for metadata in HandlerDiscovery.discover_template_metadata(template_dir):
            grouped.setdefault(metadata["namespace"], set()).update(metadata["handlers"])
        return {namespace: sorted(names) for namespace, names in grouped.items()}
