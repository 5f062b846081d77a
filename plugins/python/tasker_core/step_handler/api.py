"""Handlers that call HTTP services."""

from __future__ import annotations

from tasker_core.step_handler.base import StepHandler
from tasker_core.step_handler.mixins.api import APIMixin, ApiResponse

__all__ = ["ApiHandler", "ApiResponse"]


class ApiHandler(APIMixin, StepHandler):
    """A handler with HTTP calls.

    Example:
        >>> class FetchUser(ApiHandler):
        ...     handler_name = "fetch_user"
        ...     base_url = "https://api.example.com"
        ...
        ...     def call(self, context):
        ...         response = self.get(f"/users/{context.get_input('user_id')}")
        ...         return self.api_success(response) if response.ok else self.api_failure(response)
    """

    @property
    def capabilities(self) -> list[str]:
        """process, http and api."""
        return ["process", "http", "api"]
