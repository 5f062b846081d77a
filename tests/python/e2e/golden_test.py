"""The JSON on both sides of the native module: what a step is given, and what becomes of what it returns."""

import re

from conftest import CLIENT, template

UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z?$")

# Takes events by hand, so that nothing of the package stands between the test and the JSON.
BY_HAND = """
    import json, threading
    from tasker_core import _tasker_core as native
    from driver import settled, steps, submit
    native.bootstrap_worker()
    native._register_handlers([("app.one", "1", 0, False, False)])
    native._consume(4)
    def take():
        return json.loads(native._take_step(20.0))
"""

TWO = """
name: two
namespace_name: app
version: "2.1.0"
steps:
  - name: first
    description: the first
    handler: {callable: app.one, initialization: {rate: 2}}
    timeout_seconds: 60
    retry: {retryable: true, max_attempts: 3, backoff: linear, backoff_base_ms: 10}
  - name: second
    handler: {callable: app.one}
    dependencies: [first]
"""


def shape(value):
    """The value with a word in the place of what differs from run to run."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    if isinstance(value, str) and UUID.match(value):
        return "UUID"
    if isinstance(value, str) and TIME.match(value):
        return "TIME"
    return value


def task_shape(context):
    return {
        "task": {
            "task_uuid": "UUID", "named_task_uuid": "UUID", "complete": False, "requested_at": "TIME",
            "initiator": "test", "source_system": "e2e", "reason": "a test", "tags": None, "context": context,
            "identity_hash": None, "priority": 0, "created_at": "TIME", "updated_at": "TIME",
            "correlation_id": "UUID", "parent_correlation_id": None,
        },
        "task_name": "two", "task_version": "2.1.0", "namespace_name": "app",
    }


def step_shape(name, attempts=0, last=None, inputs=None, checkpoint=None, max_attempts=3):
    return {
        "workflow_step_uuid": "UUID", "task_uuid": "UUID", "named_step_uuid": "UUID", "name": name,
        "template_step_name": name, "retryable": True, "max_attempts": max_attempts, "in_process": True,
        "processed": False, "processed_at": None, "attempts": attempts, "last_attempted_at": last,
        "backoff_request_seconds": None, "inputs": inputs if inputs is not None else {}, "results": None,
        "checkpoint": checkpoint, "created_at": "TIME", "updated_at": "TIME",
    }


def by_hand(program, body):
    program.write("driver.py", CLIENT)
    program.write("templates/two.yaml", TWO)
    return program.run(BY_HAND + body).answer()


def test_the_event_of_a_first_attempt(program):
    event = by_hand(program, """
    submit("two", {"x": [1, {"y": "\\u00e9"}]})
    event = take()
    native._complete(event["event_id"], "{}", "{}", None)
    native._consume(0)
    native.stop_worker()
    print(json.dumps(event))
    """)
    assert event["task_correlation_id"] == event["correlation_id"]
    sequence = event["task_sequence_step"]
    assert sequence["task"]["task"]["task_uuid"] == event["task_uuid"]
    assert sequence["workflow_step"]["workflow_step_uuid"] == event["step_uuid"]
    seen = shape(event)
    for optional in ("result_schema", "composition"):
        assert seen["task_sequence_step"]["step_definition"].pop(optional, None) is None
    deadline = seen.pop("_deadline_s")
    assert deadline is None or 0 < deadline <= 60
    assert re.match(r"^[0-9a-f-]{36}:first$", seen.pop("_idempotency_key"))
    assert seen == {
        "event_id": "UUID", "task_uuid": "UUID", "step_uuid": "UUID", "correlation_id": "UUID",
        "task_correlation_id": "UUID", "_attempt": 1, "_handler": "app.one", "_method": None, "_resolver": None,
        "task_sequence_step": {
            "task": task_shape({"x": [1, {"y": "é"}]}),
            "workflow_step": step_shape("first", inputs={"rate": 2}),
            "dependency_results": {},
            "step_definition": {
                "name": "first", "description": "the first",
                "handler": {"callable": "app.one", "method": None, "resolver": None, "initialization": {"rate": 2}},
                "type": "standard", "system_dependency": None, "dependencies": [],
                "retry": {"retryable": True, "max_attempts": 3, "backoff": "linear", "backoff_base_ms": 10,
                          "max_backoff_ms": 30000},
                "timeout_seconds": 60, "publishes_events": [], "batch_config": None,
            },
        },
    }


def test_the_event_of_a_second_attempt_and_after_a_checkpoint(program):
    failed, yielded, first = by_hand(program, """
    submit("two")
    first = take()
    native._fail(first["event_id"], "Broken", "once", True, None, None, None, None, None, None)
    second = take()
    native._yield(second["event_id"], '{"cursor": 7}', 0.0)
    third = take()
    native._complete(third["event_id"], "{}", "{}", None)
    native._consume(0)
    native.stop_worker()
    print(json.dumps([second, third, first]))
    """)
    assert len({event["event_id"] for event in (first, failed, yielded)}) == 3
    assert len({event["_idempotency_key"] for event in (first, failed, yielded)}) == 1
    assert failed["_attempt"] == 2
    assert shape(failed["task_sequence_step"]["workflow_step"]) == step_shape(
        "first", attempts=1, last="TIME", inputs={"rate": 2})
    assert shape(yielded["task_sequence_step"]["workflow_step"]) == step_shape(
        "first", attempts=1, last="TIME", inputs={"rate": 2}, checkpoint={"cursor": 7})


def test_a_success_as_the_next_step_and_the_client_see_it(program):
    typed, plain, result = by_hand(program, """
    seen = []
    for metadata in ('{"execution_time_ms":5,"handler_version":"2","custom":{"k":1}}', '{"k":1}'):
        task = submit("two")
        event = take()
        native._complete(event["event_id"], '{"r": [1, null, "x"]}', metadata, None)
        event = take()
        native._complete(event["event_id"], '{}', '{}', None)
        settled(task)
        seen.append(event["task_sequence_step"]["dependency_results"]["first"])
    result = steps(task)["first"]["results"]
    native._consume(0)
    native.stop_worker()
    print(json.dumps([*seen, result]))
    """)
    assert result == {"r": [1, None, "x"]}
    assert shape(typed) == {
        "step_uuid": "UUID", "success": True, "result": {"r": [1, None, "x"]}, "status": "completed",
        "metadata": {"retryable": False, "completed_at": "TIME", "execution_time_ms": 5, "handler_version": "2",
                     "custom": {"k": 1}}}
    assert shape(plain)["metadata"] == {"retryable": False, "completed_at": "TIME", "custom": {"k": 1}}


def test_a_failure_in_upstreams_form(program):
    audits = by_hand(program, """
    audits = []
    for retryable in (True, False):
        task = submit("two")
        for attempt in range(3 if retryable else 1):
            event = take()
            native.complete_step_event(event["event_id"], {
                "step_uuid": event["step_uuid"], "task_uuid": event["task_uuid"], "success": False,
                "status": "retryable_error" if retryable else "permanent_error", "execution_time_ms": 4,
                "result": None, "worker_id": "w", "correlation_id": event["correlation_id"],
                "error": {"error_type": "PaymentError", "message": "declined", "stack_trace": "line 1",
                          "retryable": retryable, "metadata": {}},
                "metadata": {"error_code": "CARD", "retryable": retryable, "status_code": 402}})
        settled(task)
        audits.append(native.client_get_step_audit_history(task, steps(task)["first"]["step_uuid"]))
    native._consume(0)
    native.stop_worker()
    print(json.dumps(audits))
    """)
    retried, final = audits
    assert [entry["success"] for entry in retried] == [False] * 3
    assert len(final) == 1
    error = final[0]["result"]
    assert (error["type"], error["message"], error["error_code"], error["http_status"]) == (
        "PaymentError", "declined", "CARD", 402)
    assert error["retryable"] is False and error["backtrace"] == "line 1"


def test_what_completes_no_step(program):
    said = by_hand(program, """
    import uuid
    said = []
    for event, data in (("no uuid", {}), (str(uuid.uuid4()), {"success": 1}), (str(uuid.uuid4()), {"error": "x"}),
                        (str(uuid.uuid4()), {"success": True, "result": {"x": object()}})):
        try:
            said.append(native.complete_step_event(event, data))
        except ValueError as error:
            said.append(str(error).split(":")[0])
    said.append(native.complete_step_event(str(uuid.uuid4()), {}))
    native.stop_worker()
    try:
        native.complete_step_event(str(uuid.uuid4()), {})
    except RuntimeError as error:
        said.append(str(error))
    print(json.dumps(said))
    """)
    assert said == ["Invalid event_id", "Conversion error", "Conversion error", "Conversion error", False,
                    "Worker not initialized. Call bootstrap_worker() first."]
