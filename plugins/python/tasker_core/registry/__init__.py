"""How a template's handler entry (callable, method, resolver) becomes a handler: the resolver chain."""

from __future__ import annotations

from tasker_core.registry.base_resolver import BaseResolver
from tasker_core.registry.class_lookup import ClassLookupResolver
from tasker_core.registry.explicit_mapping import ExplicitMappingResolver
from tasker_core.registry.handler_definition import HandlerDefinition
from tasker_core.registry.method_dispatch import MethodDispatchWrapper
from tasker_core.registry.registry_resolver import RegistryResolver
from tasker_core.registry.resolution import ResolutionError, ResolverNotFoundError
from tasker_core.registry.resolver_chain import ResolverChain

__all__ = [
    "BaseResolver",
    "ClassLookupResolver",
    "ExplicitMappingResolver",
    "HandlerDefinition",
    "MethodDispatchWrapper",
    "RegistryResolver",
    "ResolutionError",
    "ResolverChain",
    "ResolverNotFoundError",
]
