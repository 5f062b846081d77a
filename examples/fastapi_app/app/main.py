"""The application: orders come in, are shown, and their steps are streamed while they move."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from pydantic import BaseModel
from tasker_core import TaskerClient, Worker
from tasker_core.client import TaskNotFoundError, TaskResponse

from app.models import Order

HERE = Path(__file__).resolve().parent


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """The worker lives as long as the application in each of uvicorn's processes; all of them share one store."""
    worker = Worker.start(handler_packages=["app.handlers"], strict=True)
    try:
        yield
    finally:
        worker.stop()


app = FastAPI(title="A shop on Tasker Host", lifespan=lifespan)
client = TaskerClient(initiator="shop", source_system="fastapi_app")


class Accepted(BaseModel):
    """The answer to an order: where to look, and where to listen."""

    task: str
    show: str
    events: str


class StepView(BaseModel):
    """One node of the picture."""

    name: str
    state: str
    failures: int
    """Attempts that have failed."""
    max_attempts: int
    after: list[str]
    result: Any = None
    error: str | None = None


class OrderView(BaseModel):
    """An order as the page draws it."""

    task: str
    state: str
    settled: bool
    pid: int
    """The process that says this; any of them may."""
    steps: list[StepView]
    order: dict[str, Any]


@app.exception_handler(TaskNotFoundError)
async def not_found(_: Request, error: Exception) -> JSONResponse:
    """404 in the host's own words."""
    return JSONResponse({"detail": str(error)}, status_code=404)


@app.get("/", include_in_schema=False)
def page() -> FileResponse:
    """The page: it submits an order and draws it."""
    return FileResponse(HERE / "index.html")


@app.get("/health")
def health() -> dict[str, Any]:
    """Which process answers, and how its worker is."""
    worker = Worker.instance()
    return {"pid": os.getpid(), "worker": worker.health().status if worker is not None else "stopped"}


@app.post("/orders", status_code=202)
async def submit(order: Order) -> Accepted:
    """Takes an order: it is on disk when this answers. The same `order_id` again is the same order."""
    task = await client.create_task_async(
        "order", namespace="shop", context=order.model_dump(), reason="ordered", idempotency_key=order.order_id
    )
    show = f"/orders/{task.task_uuid}"
    return Accepted(task=task.task_uuid, show=show, events=f"{show}/events")


@app.get("/orders/{task}")
def show(task: UUID) -> OrderView:
    """An order, what its steps returned, and why they failed."""
    view = _view(client.get_task(str(task)))
    for step, node in zip(client.list_task_steps(str(task)), view.steps, strict=True):
        node.result = step.results
        history = client.get_step_audit_history(str(task), step.step_uuid)
        failures = [entry for entry in history if not entry.success]
        if failures and failures[-1].result is not None:
            node.error = failures[-1].result.get("message")
    return view


@app.get("/orders/{task}/events")
async def events(task: UUID) -> StreamingResponse:
    """Server-sent events: the order now and after each change, until it is settled."""
    await client.get_task_async(str(task))  # 404 before the stream begins
    return StreamingResponse(_events(str(task)), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _events(task: str) -> AsyncIterator[str]:
    async for seen in client.watch_task_async(task):
        yield f"data: {_view(seen).model_dump_json()}\n\n"


def _view(task: TaskResponse) -> OrderView:
    return OrderView(
        task=task.task_uuid,
        state=task.status,
        settled=task.settled,
        pid=os.getpid(),
        order=task.context,
        steps=[
            StepView(
                name=step["name"],
                state=step["current_state"],
                failures=step["attempts"],
                max_attempts=step["max_attempts"],
                after=step["dependencies"],
            )
            for step in task.steps
        ],
    )
