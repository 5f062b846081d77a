"""The registry, discovery and the resolver chain."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import tasker_core
from tasker_core import (
    ClassLookupResolver,
    ExplicitMappingResolver,
    HandlerDefinition,
    HandlerRegistry,
    HandlerWrapper,
    MethodDispatchWrapper,
    RegistryResolver,
    ResolutionError,
    ResolverChain,
    ResolverNotFoundError,
    StepHandler,
)
from tasker_core.template_discovery import HandlerDiscovery, TemplateParser, TemplatePath


class A(StepHandler):
    handler_name = "a"

    def call(self, context: Any) -> Any:
        return self.success({"by": "call"})

    def refund(self, context: Any) -> Any:
        return self.success({"by": "refund"})


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Writes modules of a package and makes it importable."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made: list[str] = []

    def write(name: str, **modules: str) -> None:
        (tmp_path / name).mkdir()
        for module, text in {"__init__": "", **modules}.items():
            (tmp_path / name / f"{module}.py").write_text("from tasker_core import StepHandler\n" + text)
        made.append(name)

    yield write
    for name in [n for n in sys.modules if n.split(".")[0] in made]:
        del sys.modules[name]


def handler_text(name: str) -> str:
    return f"class H_{name}(StepHandler):\n    handler_name = '{name}'\n    def call(self, context): return {{}}\n"


def test_only_handler_classes_can_be_registered() -> None:
    registry = HandlerRegistry()
    for wrong in (int, "A", A()):
        with pytest.raises(ValueError, match="StepHandler subclass"):
            registry.register("a", wrong)  # type: ignore[arg-type]


def test_a_name_is_known_until_it_is_unregistered(host: Any) -> None:
    registry = HandlerRegistry()
    registry.register("a", A)
    assert registry.is_registered("a") and registry.get_handler_class("a") is A
    assert registry.list_handlers() == ["a"] and registry.handler_count() == 1
    other = type("Other", (A,), {})
    registry.register("a", other)
    assert any("from now on" in message for _, message, _ in host.logs)
    assert registry.unregister("a") and not registry.unregister("a") and registry.resolve("a") is None


def test_the_registry_of_the_process_is_one() -> None:
    assert HandlerRegistry.instance() is HandlerRegistry.instance(skip_bootstrap=True)


def test_each_resolve_makes_a_new_handler() -> None:
    registry = HandlerRegistry()
    registry.register("a", A)
    first, second = registry.resolve("a"), registry.resolve(HandlerDefinition("a"))
    assert isinstance(first, A) and isinstance(second, A) and first is not second


def test_every_kind_of_spec_names_a_method() -> None:
    registry = HandlerRegistry()
    registry.register("a", A)
    for spec in (HandlerDefinition("a", "refund"), HandlerWrapper("a", handler_method="refund")):
        resolved = registry.resolve(spec)
        assert isinstance(resolved, MethodDispatchWrapper)
        assert resolved.call(None).result == {"by": "refund"}
        assert resolved.target_method == "refund" and resolved.unwrap() is resolved.handler
        assert resolved.handler_name == "a"
    assert registry.resolve(HandlerDefinition("a", "missing")) is None
    with pytest.raises(ResolutionError, match="no method 'missing'"):
        registry.resolve_or_raise(HandlerDefinition("a", "missing"))


def test_discovery_finds_classes_and_functions_in_all_submodules(package: Any) -> None:
    package(
        "shop_a",
        orders=handler_text("validate"),
        dsl="from tasker_core.step_handler import step_handler\n@step_handler('charge')\ndef charge(): return {}\n",
    )
    registry = HandlerRegistry()
    assert registry.discover_handlers("shop_a") == 2
    assert sorted(registry.list_handlers()) == ["charge", "validate"]


def test_a_package_that_is_missing_counts_nothing_and_is_named(host: Any) -> None:
    registry = HandlerRegistry()
    assert registry.discover_handlers("no.such.package") == 0
    assert "ModuleNotFoundError" in registry.import_failures["no.such.package"]
    assert any(level == "error" for level, _, _ in host.logs)


def test_a_broken_submodule_is_named_and_the_others_are_found(package: Any) -> None:
    package("shop_b", broken="def f(:\n", good=handler_text("good"))
    registry = HandlerRegistry()
    assert registry.discover_handlers("shop_b") == 1
    assert "SyntaxError" in registry.import_failures["shop_b.broken"]


def test_the_environment_changes_no_discovery(package: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    package("handlers_in_test", __init__=handler_text("hidden"))
    __import__("handlers_in_test")
    monkeypatch.setenv("TASKER_ENV", "test")
    assert not HandlerRegistry.instance().is_registered("hidden")


TEMPLATE = """
name: order
namespace_name: shop
version: 1.0.0
steps:
  - name: a
    handler: {callable: shop_c.orders.H_one}
  - name: b
    handler: {callable: shop_c.dsl.charge}
  - name: c
    handler: {callable: plain_name}
"""


def test_the_dotted_callables_of_templates_are_imported(
    package: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(
        "shop_c",
        orders=handler_text("one"),
        dsl="from tasker_core.step_handler import step_handler\n@step_handler('charge')\ndef charge(): return {}\n",
    )
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "order.yaml").write_text(TEMPLATE)
    monkeypatch.setenv("TASKER_TEMPLATE_PATH", str(tmp_path / "templates"))
    registry = HandlerRegistry.instance()
    assert set(registry.list_handlers()) == {"shop_c.orders.H_one", "one", "shop_c.dsl.charge", "charge"}
    info = registry.template_discovery_info()
    assert info["handlers_by_namespace"] == {"shop": ["plain_name", "shop_c.dsl.charge", "shop_c.orders.H_one"]}
    assert info["bootstrapped"] and registry.bootstrap_handlers() == 0


def test_a_dotted_callable_is_imported_when_the_host_asks(package: Any) -> None:
    package("shop_d", orders=handler_text("two"))
    registry = HandlerRegistry()
    assert not registry.can_handle("shop_d.orders.H_two", None, None, import_allowed=False)
    assert registry.can_handle("shop_d.orders.H_two", None, None, import_allowed=True)
    assert not registry.can_handle("shop_d.orders.Nothing", None, None, import_allowed=True)
    assert not registry.can_handle("CheckpointYield.StepHandlers.X", None, None, import_allowed=True)


def test_class_lookup_wants_a_capital_and_tells_defects_from_absence(package: Any, host: Any) -> None:
    package(
        "shop_e",
        orders=handler_text("x") + "class Broken(StepHandler):\n    def __init__(self): raise TypeError('inside')\n"
        "    def call(self, c): pass\n",
        bad="import not_installed_anywhere\n",
    )
    lookup = ClassLookupResolver()
    assert lookup.can_resolve(HandlerDefinition("shop_e.orders.H_x"))
    assert not lookup.can_resolve(HandlerDefinition("shop_e.orders.lower"))
    assert lookup.resolve(HandlerDefinition("shop_e.orders.H_x")) is not None
    assert lookup._import_class("no.such.Class") is None
    for path, why in (("shop_e.orders.Broken", "TypeError: inside"), ("shop_e.bad.X", "not_installed_anywhere")):
        assert lookup.resolve(HandlerDefinition(path)) is None
        assert any(why in message for level, message, _ in host.logs if level == "warn")
        with pytest.raises(ResolutionError, match=why):
            lookup.resolve_or_raise(HandlerDefinition(path))


def test_the_explicit_resolver_takes_classes_factories_and_instances() -> None:
    class NeedsConfig(A):
        def __init__(self, config: Any) -> None:
            self.config = config

    resolver, instance = ExplicitMappingResolver(), A()
    resolver.register("class", NeedsConfig)
    resolver.register("factory", lambda config: ("made", config))
    resolver.register("instance", instance)
    made = resolver.resolve(HandlerDefinition("class", initialization={"k": 1}))
    assert made.config == {"k": 1}
    assert resolver.resolve(HandlerDefinition("factory"), {"x": 1}) == ("made", {"x": 1})
    assert resolver.resolve(HandlerDefinition("instance")) is instance
    assert resolver.registered_callables() == ["class", "factory", "instance"]
    assert resolver.unregister("class") and not resolver.can_resolve(HandlerDefinition("class"))
    assert resolver.priority == 10 and resolver.name == "explicit_mapping"


def test_a_constructor_that_fails_is_none_with_a_warning_and_never_called_twice(host: Any) -> None:
    calls: list[int] = []

    class Fails(A):
        def __init__(self) -> None:
            calls.append(1)
            raise TypeError("inside")

    registry = HandlerRegistry()
    registry.register("f", Fails)
    assert registry.resolve("f") is None and calls == [1]
    assert any("TypeError: inside" in message for _, message, _ in host.logs)


def test_a_hint_asks_only_its_resolver() -> None:
    class Mine(RegistryResolver):
        _name = "mine"
        pattern = r"^mine:\d+$"

        def resolve_handler(self, definition: Any, config: Any = None) -> Any:
            return A()

    chain = ResolverChain.default().add_resolver(Mine())
    assert chain.list_resolvers() == [("explicit_mapping", 10), ("mine", 50), ("class_lookup", 100)]
    assert chain.resolver_names() == ["explicit_mapping", "mine", "class_lookup"]
    assert isinstance(chain.resolve(HandlerDefinition("mine:7")), A)
    assert chain.resolve(HandlerDefinition("mine:7", resolver="explicit_mapping")) is None
    with pytest.raises(ResolverNotFoundError, match="Unknown resolver: 'nope'"):
        chain.resolve(HandlerDefinition("mine:7", resolver="nope"))
    assert not chain.can_resolve(HandlerDefinition("mine:7", resolver="nope"))
    assert chain.remove_resolver("mine") and not chain.remove_resolver("mine")
    with pytest.raises(NotImplementedError):
        type("Bare", (RegistryResolver,), {"prefix": "b"})().resolve(HandlerDefinition("bare"))


def test_a_definition_knows_its_method() -> None:
    definition = HandlerDefinition.from_dict({"callable": "c", "method": "m", "initialization": None})
    assert definition.effective_method() == "m" and definition.uses_method_dispatch()
    plain = HandlerDefinition.from_callable("c")
    assert plain.effective_method() == "call" and not plain.has_resolver_hint()


def test_templates_are_looked_for_where_upstream_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKSPACE_PATH", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "deep" / "down").mkdir(parents=True)
    tasks = tmp_path / "config" / "tasks"
    tasks.mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep" / "down")
    assert TemplatePath.find_template_config_directory() == tasks
    monkeypatch.setenv("TASKER_TEMPLATE_PATH", str(tmp_path / "deep"))
    assert TemplatePath.find_template_config_directory() == tmp_path / "deep"


def test_templates_that_cannot_be_read_count_as_empty(tmp_path: Path, host: Any) -> None:
    (tmp_path / "bad.yaml").write_text("a: [1\n")
    (tmp_path / "list.yml").write_text("- 1\n")
    (tmp_path / "order.yaml").write_text(TEMPLATE)
    assert TemplateParser.extract_handler_callables(tmp_path / "bad.yaml") == []
    assert TemplateParser.extract_template_metadata(tmp_path / "list.yml") == {}
    assert len(HandlerDiscovery.discover_all_handlers(tmp_path)) == 3
    assert [m["name"] for m in HandlerDiscovery.discover_template_metadata(tmp_path)] == ["order"]
    assert TemplatePath.discover_template_files(tmp_path / "missing") == []


def test_the_host_may_ask_while_handlers_are_announced(package: Any, host: Any) -> None:
    package("shop_f", orders=handler_text("asked"))
    register = tasker_core._native._register_handlers

    def register_and_ask(handlers: Any) -> None:
        register(handlers)
        assert host.resolver("shop_f.orders.H_asked", None, None)

    tasker_core._native._register_handlers = register_and_ask
    try:
        with tasker_core.Worker.start():
            assert {"asked", "shop_f.orders.H_asked"} <= set(host.handlers)
    finally:
        tasker_core._native._register_handlers = register


def test_a_module_that_cannot_be_imported_is_tried_once(package: Any, host: Any) -> None:
    package("shop_g", broken="raise OSError('no database')\n")
    registry = HandlerRegistry()
    for _ in range(3):
        assert not registry.can_handle("shop_g.broken.H", None, None, import_allowed=True)
    errors = [message for level, message, _ in host.logs if level == "error"]
    assert len(errors) == 1 and "OSError: no database" in errors[0]
