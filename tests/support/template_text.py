"""Task templates, written on the spot."""

import dataclasses


@dataclasses.dataclass
class Step:
    name: str
    handler: str
    parents: tuple = ()
    retry: str = ""  # YAML in flow style, such as "{max_attempts: 2}".
    timeout_s: int | None = None


def template_text(name, steps, namespace="e2e"):
    """The YAML of a template."""
    lines = [f"name: {name}", f"namespace_name: {namespace}", 'version: "1.0.0"', "steps:"]
    for step in steps:
        lines += [f"  - name: {step.name}", f"    handler: {{callable: {step.handler}}}"]
        if step.parents:
            lines.append(f"    dependencies: [{', '.join(step.parents)}]")
        if step.retry:
            lines.append(f"    retry: {step.retry}")
        if step.timeout_s is not None:
            lines.append(f"    timeout_seconds: {step.timeout_s}")
    return "\n".join(lines) + "\n"


def chain(handler, *names):
    """Steps in a row."""
    return [Step(name, handler, names[max(i - 1, 0):i]) for i, name in enumerate(names)]
