"""Every name of upstream's public surface is here with upstream's signature, and has a test; see surface_table.py."""

from __future__ import annotations

import ast
import importlib
import inspect
import textwrap
import types
from pathlib import Path

import pytest
import tasker_core
from surface_table import EXPECTED, Row, rows, uses

ROWS = rows()
MODULES = [
    "_tasker_core",
    "bootstrap",
    "client",
    "domain_events",
    "errors",
    "errors.error_classifier",
    "event_bridge",
    "event_poller",
    "exceptions",
    "handler",
    "logging",
    "models",
    "observability",
    "registry",
    "registry.registry_resolver",
    "registry.handler_definition",
    "step_execution_subscriber",
    "step_handler",
    "step_handler.base",
    "step_handler.api",
    "step_handler.decision",
    "step_handler.functional",
    "step_handler.mixins",
    "step_handler.mixins.api",
    "step_handler.mixins.decision",
    "batch_processing",
    "batch_processing.batchable",
    "template_discovery",
    "types",
    "worker",
    "examples.checkpoint_yield",
    "testing",
]

SUBMODULE_NAMES = {
    "step_handler": "step_handler depends_on inputs decision_handler batch_analyzer batch_worker api_handler Decision "
    "BatchConfig FunctionalHandler HandlerDecorator mixins",
    "step_handler.mixins": "APIMixin DecisionMixin",
    "domain_events": "PublisherRegistry SubscriberRegistry DefaultPublisher",
    "types": "FailureStrategy RustCursorConfig BatchMetadata RustBatchWorkerInputs NoBatchesOutcome "
    "CreateBatchesOutcome BatchProcessingOutcome no_batches create_batches BatchAggregationResult "
    "aggregate_batch_results ClientStepReadiness ClientTaskResponse",
}

STUB = ast.parse((Path(tasker_core.__file__).parent / "_tasker_core.pyi").read_text())
NATIVE_DOCS = {node.name: ast.get_docstring(node) for node in STUB.body if isinstance(node, ast.FunctionDef)}


def test_all_has_exactly_upstreams_names() -> None:
    expected = {name for name, _ in EXPECTED if "." not in name}
    assert len(expected) == 121 and set(tasker_core.__all__) == expected
    assert len(tasker_core.__all__) == 121


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_a_name_is_there_and_equal_and_tested(row: Row) -> None:
    assert row.present and row.equal and row.tested_by, row


@pytest.mark.parametrize("name", MODULES)
def test_module_path(name: str) -> None:
    assert isinstance(importlib.import_module(f"tasker_core.{name}"), types.ModuleType)


@pytest.mark.parametrize("module", SUBMODULE_NAMES)
def test_names_of_submodules(module: str) -> None:
    found = importlib.import_module(f"tasker_core.{module}")
    for name in SUBMODULE_NAMES[module].split():
        assert hasattr(found, name), name


def test_versions() -> None:
    assert tasker_core.__version__ == tasker_core.version() == tasker_core.get_version()
    assert "." in tasker_core.__version__ and tasker_core.health_check() is True


@pytest.mark.parametrize("name", sorted(tasker_core.__all__))
def test_every_public_name_has_a_docstring_worth_reading(name: str) -> None:
    found = getattr(tasker_core, name)
    if isinstance(found, str):
        return
    if found.__module__ == "tasker_core._tasker_core":  # A stand-in here; e2e/import_test.py looks at the real one.
        assert len(NATIVE_DOCS[name] or "") >= 15, name
        return
    assert found.__doc__ and len(found.__doc__) >= 15, name
    if inspect.isclass(found):
        for attribute, value in vars(found).items():
            member = value.__func__ if isinstance(value, (classmethod, staticmethod)) else value
            public = not attribute.startswith("_") and found.__module__.startswith("tasker_core")
            if public and isinstance(member, (types.FunctionType, property)):
                assert member.__doc__, f"{name}.{attribute}"


def test_an_import_or_an_annotation_is_no_test_of_a_name() -> None:
    code = """
        from tasker_core import Imported
        def test(given: Annotated) -> Returned:
            program.run(f'''
                from tasker_core import ImportedThere
                InString({given}).call()
            ''')
            "Text of words"
            assert Used.method
    """
    found = uses(ast.parse(textwrap.dedent(code)))
    assert {"Used", ".method", "InString", ".call", "def test", "program"} <= found
    assert not found & {"Imported", "Annotated", "Returned", "ImportedThere", "Text", "words"}
