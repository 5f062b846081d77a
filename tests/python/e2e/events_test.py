"""Domain events of a step that has really ended: given to subscribers, pollers and who polls by hand, each once."""

from conftest import CLIENT, HANDLERS, template

DECLARED = """
publishes_events:
  - {name: thing.done, condition: success, delivery_mode: fast, schema: {}}
  - {name: thing.failed, condition: failure, delivery_mode: fast, schema: {}}
"""


def test_events_reach_whoever_listens_once(program):
    program.write("app/handlers.py", HANDLERS)
    program.write("driver.py", CLIENT)
    program.write("templates/one.yaml", template("one", ("a", "app.noop", []), more=DECLARED))
    ended = program.run("""
        import json, threading
        import tasker_core
        from tasker_core import BaseSubscriber, InProcessDomainEventPoller, Worker
        from tasker_core import _tasker_core as native
        from tasker_core.domain_events import SubscriberRegistry
        from driver import settled, submit

        heard, polled = [], []
        class Listens(BaseSubscriber):
            @classmethod
            def subscribes_to(cls): return ["thing.*"]
            def handle(self, event): heard.append(event["payload"])

        SubscriberRegistry.instance().register(Listens)
        poller = InProcessDomainEventPoller()
        poller.on_event(lambda event: polled.append(event.payload))
        poller.start()
        with Worker.start(handler_packages=["app.handlers"]):
            nothing = tasker_core.poll_in_process_events()
            task = submit("one")
            settled(task)
            event = None
            while event is None:
                event = native.poll_in_process_events()
                threading.Event().wait(0.01)
            again = tasker_core.poll_in_process_events()
        poller.stop()
        try:
            tasker_core.poll_in_process_events()
        except RuntimeError as error:
            said = str(error)
        print(json.dumps([nothing, event["event_name"], event["payload"], event["metadata"]["task_uuid"] == task,
                          again, heard, polled, said]))
    """)
    nothing, name, payload, of_task, again, heard, polled, said = ended.answer()
    assert nothing is None and again is None
    assert (name, payload, of_task) == ("thing.done", {"n": 1}, True)
    assert heard == polled == [{"n": 1}]
    assert "not initialized" in said
