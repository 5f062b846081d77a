"""HTTP calls for handlers; httpx is imported with the first call."""

from __future__ import annotations

import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar

from tasker_core import _fork
from tasker_core.types.results import ErrorType, StepHandlerResult

if TYPE_CHECKING:
    import httpx

__all__ = ["APIMixin", "ApiResponse", "close_shared_clients"]

_ERROR_TYPES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    409: "conflict",
    410: "gone",
    422: "unprocessable_entity",
    429: "rate_limited",
    500: "internal_server_error",
    502: "bad_gateway",
    503: "service_unavailable",
    504: "gateway_timeout",
}
_RETRYABLE = frozenset({408, 429, 500, 502, 503, 504})
_UNREADABLE_RETRY_AFTER_S = 60

_clients: dict[tuple[Any, ...], httpx.Client] = {}
_clients_lock = threading.Lock()


def close_shared_clients() -> None:
    """Closes the clients of all handler classes; the next call of a handler opens a new one."""
    with _clients_lock:
        clients = list(_clients.values())
        _clients.clear()
    for client in clients:
        client.close()


class ApiResponse:
    """An HTTP response, its body decoded if it is JSON.

    Attributes:
        status_code: The HTTP status.
        headers: Its headers, names in lower case.
        body: Decoded JSON, or the text.
        raw_response: The httpx.Response.
    """

    def __init__(self, response: httpx.Response, body: dict[str, Any] | list[Any] | str | None = None) -> None:
        self.raw_response = response
        self.status_code: int = response.status_code
        self.headers: dict[str, str] = dict(response.headers)
        self.body: Any = body if body is not None else self._decode(response)

    @staticmethod
    def _decode(response: httpx.Response) -> Any:
        if "application/json" in response.headers.get("content-type", ""):
            try:
                return response.json()
            except ValueError:
                return response.text
        return response.text

    @property
    def ok(self) -> bool:
        """True for 200 to 299."""
        return 200 <= self.status_code < 300

    @property
    def is_client_error(self) -> bool:
        """True for 400 to 499."""
        return 400 <= self.status_code < 500

    @property
    def is_server_error(self) -> bool:
        """True for 500 to 599."""
        return 500 <= self.status_code < 600

    @property
    def is_retryable(self) -> bool:
        """True for 408, 429, 500, 502, 503 and 504."""
        return self.status_code in _RETRYABLE

    @property
    def retry_after(self) -> int | None:
        """Seconds of the Retry-After header; 60 if it is no number; None without one."""
        value = self.raw_response.headers.get("retry-after")
        if value is None:
            return None
        try:
            return int(value)
        except ValueError:
            return _UNREADABLE_RETRY_AFTER_S

    def to_dict(self) -> dict[str, Any]:
        """Status, headers and body as plain data."""
        return {"status_code": self.status_code, "headers": self.headers, "body": self.body}


class APIMixin:
    """Adds HTTP calls to a handler: `class Fetch(APIMixin, StepHandler)`.

    All instances of a class share one httpx.Client, so that connections are kept between steps.
    """

    base_url: ClassVar[str] = ""
    """What relative paths are joined to."""
    default_timeout: ClassVar[float] = 30.0
    """Seconds that a request may take."""
    default_headers: ClassVar[dict[str, str]] = {}
    """Headers of every request."""
    _client: httpx.Client | None = None

    @property
    def client(self) -> httpx.Client:
        """The httpx.Client of the handler's class, made on first use; set `_client` to use another."""
        if self._client is None:
            self._client = self._shared_client()
        return self._client

    def get(
        self,
        path: str,
        params: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> ApiResponse:
        """GET; further arguments go to httpx."""
        return self.request("GET", path, params=params, headers=headers, **kwargs)

    def post(
        self,
        path: str,
        json: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> ApiResponse:
        """POST of JSON or of form data; further arguments go to httpx."""
        return self.request("POST", path, json=json, data=data, headers=headers, **kwargs)

    def put(
        self,
        path: str,
        json: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> ApiResponse:
        """PUT of JSON or of form data; further arguments go to httpx."""
        return self.request("PUT", path, json=json, data=data, headers=headers, **kwargs)

    def patch(
        self,
        path: str,
        json: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> ApiResponse:
        """PATCH of JSON or of form data; further arguments go to httpx."""
        return self.request("PATCH", path, json=json, data=data, headers=headers, **kwargs)

    def delete(self, path: str, headers: dict[str, str] | None = None, **kwargs: Any) -> ApiResponse:
        """DELETE; further arguments go to httpx."""
        return self.request("DELETE", path, headers=headers, **kwargs)

    def request(self, method: str, path: str, **kwargs: Any) -> ApiResponse:
        """Any method; arguments go to httpx.

        Raises:
            httpx.TransportError: The request was not answered; see `connection_error` and `timeout_error`.
        """
        return ApiResponse(self.client.request(method, path, **kwargs))

    def close(self) -> None:
        """Lets go of the client; closes it if it was set by hand and is not the class's."""
        client, self._client = self._client, None
        if client is not None and client not in _clients.values():
            client.close()

    def api_success(
        self, response: ApiResponse, result: dict[str, Any] | None = None, include_response: bool = True
    ) -> StepHandlerResult:
        """The step succeeded with this response.

        Args:
            response: Its status and headers become metadata.
            result: What dependent steps read; the body unless given.
            include_response: Whether the metadata is added.
        """
        if result is None:
            result = response.body if isinstance(response.body, dict) else {"data": response.body}
        metadata = {"status_code": response.status_code, "headers": response.headers} if include_response else {}
        return StepHandlerResult.success(result, metadata)

    def api_failure(self, response: ApiResponse, message: str | None = None) -> StepHandlerResult:
        """The step failed with this response: kind and `retryable` follow from the status.

        A Retry-After header delays the next attempt.
        """
        metadata: dict[str, Any] = {"status_code": response.status_code, "headers": response.headers}
        if response.retry_after is not None:
            metadata["retry_after_seconds"] = response.retry_after
        if response.body:
            metadata["response_body"] = response.body
        return StepHandlerResult.failure(
            message or self._format_error_message(response),
            error_type=self._classify_error(response),
            retryable=response.is_retryable,
            metadata=metadata,
        )

    def connection_error(self, error: Exception, context: str | None = None) -> StepHandlerResult:
        """The step failed, retryably, because no connection was made; `context` says at what."""
        return self._transport_failure("Connection error", "connection_error", error, context)

    def timeout_error(self, error: Exception, context: str | None = None) -> StepHandlerResult:
        """The step failed, retryably, because no answer came in time; `context` says at what."""
        return self._transport_failure("Request timeout", ErrorType.TIMEOUT.value, error, context)

    def _transport_failure(
        self, what: str, error_type: str, error: Exception, context: str | None
    ) -> StepHandlerResult:
        where = f" while {context}" if context else ""
        return StepHandlerResult.failure(
            f"{what}{where}: {error}",
            error_type=error_type,
            retryable=True,
            metadata={"exception_type": type(error).__name__},
        )

    def _classify_error(self, response: ApiResponse) -> str:
        known = _ERROR_TYPES.get(response.status_code)
        if known is not None:
            return known
        if response.is_client_error:
            return "client_error"
        return "server_error" if response.is_server_error else "http_error"

    def _format_error_message(self, response: ApiResponse) -> str:
        said = response.body
        for key in ("error", "message", "detail", "error_message"):
            if isinstance(said, dict) and said.get(key):
                said = said[key]
        if isinstance(said, dict) or said is response.body:
            try:
                said = HTTPStatus(response.status_code).phrase
            except ValueError:
                said = self._classify_error(response)
        return f"HTTP {response.status_code}: {said}"

    def _shared_client(self) -> httpx.Client:
        key = (type(self), self.base_url, self.default_timeout, tuple(sorted(self.default_headers.items())))
        with _clients_lock:
            client = _clients.get(key)
            if client is None or client.is_closed:
                client = _clients[key] = self._new_client()
            return client

    def _new_client(self) -> httpx.Client:
        # Imported here: httpx is optional and costs start-up time.
        import httpx

        return httpx.Client(base_url=self.base_url, timeout=self.default_timeout, headers=dict(self.default_headers))


def _forget_clients() -> None:
    global _clients_lock
    _clients_lock = threading.Lock()
    _clients.clear()


_fork.on_child(_forget_clients)
