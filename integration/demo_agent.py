"""`make demo-agent`: agents that call agents. Who called whom, for whom, was it allowed, and what stops it.

Everything is real: a stock Envoy with the bootstrap that people copy (`envoy/agent.yaml`), the filter, three agents on
the official SDK that are traced by OpenTelemetry, certificates with SPIFFE ids, tokens of two users that Envoy verifies,
and the official Python client. Each line with a tick was looked up; what did not happen ends the demo with an error.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import yaml

from harness.a2a import ADA, BOB, USERS, AgentBootstrap, AgentGateway, People, Python, PythonSdk, Refused, state_of, task_in
from harness.a2a.gateway import CLUSTERS, SHIPPED
from harness.a2a.naming import Asker
from harness.a2a.wire import Exchange, basic, message, messages, rpc
from harness.bootstrap import ROOT
from harness.envoy import RECORD_SECONDS, eventually
from harness.gateway import Response
from report import drawing, edges
from report.terminal import bold, dim, ensure, green, indented, proven, quoted, say, step, title, yellow

POLICY = """\
rules:
  - allow: {agents: [assistant, planner], callees: [planner, researcher]}
  - allow: {agents: [planner, researcher], callees: [billing], tiers: [gold]}
  - deny:  {callees: ["*"], reason: "ask the platform team"}
"""
PUSH = """\
agents:
  planner: {path: /agents/planner, push: {hosts: [hooks.example.org]}}
"""
HURRY = """\
rules:
  - allow: {agents: [assistant, planner, researcher, billing], callees: ["*"]}
"""
DEEP = """\
ticket: {loops: allow, max_depth: 5}
"""

CONFIG = SHIPPED.relative_to(ROOT)
ASSISTANT, PLANNER, RESEARCHER, BILLING = "assistant", "planner", "researcher", "billing"
JOURNEY = "plan a journey to Rome"
# 169.254.169.254, where clouds keep the keys of machines, written as one number.
METADATA = "https://2852039166/latest/meta-data/iam/security-credentials"
ROUNDS = 20
CARD = "/.well-known/agent-card.json"


class Story:
    """The gate, the agents behind it, and the assistants of two users in front."""

    def __init__(self, gateway: AgentGateway, assistants: dict[tuple[str, str], Python]):
        self.gateway, self.people, self.assistants = gateway, gateway.people, assistants

    def asks(self, user: str, callee: str, text: str) -> dict:
        """A user's assistant tells an agent something; what came of it."""
        say(f"  {who(ASSISTANT, user)} asks {bold(callee)}: {text}")
        task = task_in(self.assistants[user, callee].send(text))
        paint = green if state_of(task) == "completed" else yellow
        say(paint(quoted(f"{state_of(task)}: {in_short(text_of(task))}")))
        return task

    def records(self) -> list[dict]:
        """Those of all requests that are over."""
        self.gateway.seen()
        return self.gateway.envoy.records()

    def last(self, what: Callable[[dict], bool]) -> dict:
        """The last record that is so, as soon as it is written."""

        def found() -> list[dict]:
            return [record for record in self.gateway.envoy.records() if what(record)]

        ensure(eventually(lambda: bool(found()), RECORD_SECONDS), "it is in the audit log")
        self.gateway.seen()
        return found()[-1]


def main() -> None:
    """Runs the scenario and tells it."""
    began = time.monotonic()
    title("Tollgate: which agent called which, for whom, and was it allowed, in a stock Envoy")
    with ExitStack() as running:
        directory = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="tollgate-demo-")))
        # Until the end: servers end with the thread that started them.
        pool = running.enter_context(ThreadPoolExecutor(len(CLUSTERS)))
        with step(f"starting {', '.join(CLUSTERS)} on the official SDK, and Envoy with {CONFIG}"):
            people = People(directory)
            agents = [PythonSdk(name, "trace") for name in CLUSTERS]
            together(pool, running, agents)
            named = dict(zip(CLUSTERS, agents, strict=True))
            rules = yaml.safe_load(POLICY)["rules"]
            gateway = running.enter_context(AgentGateway(directory, people, configure, None, rules, **named))
        with step("connecting the assistants of Ada and Bob with the official Python client"):
            talks = [(ADA, PLANNER), (BOB, PLANNER), (ADA, BILLING)]
            clients = [Python(gateway.url(callee), **people.shows(user, ASSISTANT)) for user, callee in talks]
            together(pool, running, clients)
        tell(Story(gateway, dict(zip(talks, clients, strict=True))))
    say(f"\nEverything is stopped again. That took {time.monotonic() - began:.1f} s.")


def together(pool: ThreadPoolExecutor, running: ExitStack, parts: list) -> None:
    """Starts them all at once: each takes a moment."""
    for started in [pool.submit(running.enter_context, part) for part in parts]:
        started.result()


def configure(bootstrap: AgentBootstrap) -> None:
    """What the demo has besides the policy; and a gate that can be changed while Envoy runs."""
    bootstrap.gate_config["agents"] |= yaml.safe_load(PUSH)["agents"]
    bootstrap.discover_gate()


def tell(story: Story) -> None:
    """A day of agents."""
    task = allowed(story)
    of_lower_tier(story)
    directly(story)
    stolen(story)
    of_another(story, task)
    pushing(story, task)
    reading(story)
    in_a_ring(story)
    auditing(story, story.records())


def allowed(story: Story) -> str:
    """One question, three calls; the id of the task."""
    title("1  Three lines of policy, and Ada's question goes through three agents")
    say(indented(POLICY))
    say("")
    task = story.asks(ADA, PLANNER, JOURNEY)
    first = story.last(lambda record: record.get("hop") == 1 and record["asked"].get("callee") == PLANNER)
    calls = edges.tree(story.records(), first["transaction"])
    hops = [(call.hop, call.caller, call.callee, call.verdict) for call in calls]
    path = [ASSISTANT, *CLUSTERS]
    expected = [(at + 1, path[at], path[at + 1], "allow") for at in range(3)]
    proven(hops == expected, "three calls are on record as one transaction, hops 1, 2 and 3:")
    drawing.tree(calls)
    carried = {has_ticket(agent) for name, agent in story.gateway.agents.items() if name != BILLING}
    presented = [record["ticket"] for record in story.records() if record.get("transaction") == first["transaction"]]
    proven(
        carried == {True} and sorted(presented) == ["none", "valid", "valid"],
        "no agent has code for that: the ticket travelled in tracestate, with OpenTelemetry's trace",
    )
    return task["id"]


def has_ticket(agent: PythonSdk) -> bool:
    """What an agent got from the gateway has a ticket in its trace."""
    (ran,) = agent.ran()
    return dict(ran["headers"])["tracestate"].startswith("tollgate=")


def of_lower_tier(story: Story) -> None:
    """The same for somebody else."""
    title("2  Bob asks the same. He is on the free tier, and billing is for gold")
    story.gateway.agents[BILLING].forget()
    task = story.asks(BOB, PLANNER, JOURNEY)
    ensure("billing: HTTP Error 403" in text_of(task), "the researcher was refused, and told it on")
    refused = story.last(lambda record: record["decision"]["verdict"] == "deny")
    seen = (edges.caller_of(refused), edges.callee_of(refused), refused["subject"]["tier"], refused["hop"])
    ran = story.gateway.agents[BILLING].ran()
    proven(seen == (RESEARCHER, BILLING, "free", 3) and ran == [], "billing never saw it: refused at hop 3, by rules.#3")
    say(dim("\n  Of an HTTP error the official client tells the status alone. The researcher's call by hand:"))
    answer, error = by_hand(story, RESEARCHER, BOB, RESEARCHER)
    say(yellow(quoted(f"HTTP {answer.status}, {json.dumps({'error': error})}")))
    told = "refused by policy: rule=rules.#3 reason=rule; ask the platform team"
    proven((answer.status, error["message"]) == (403, told), "A2A's own error, with the rule that says so")


def directly(story: Story) -> None:
    """A call that leaves agents out."""
    title("3  Ada's assistant calls billing itself")
    say(f"  {who(ASSISTANT, ADA)} asks {bold(BILLING)}: bill a journey to Rome")
    refusal(lambda: story.assistants[ADA, BILLING].send("bill a journey to Rome"))
    record = story.last(lambda record: edges.caller_of(record) == ASSISTANT and edges.callee_of(record) == BILLING)
    decided = (record["decision"]["verdict"], record["decision"]["rule"])
    proven(decided == ("deny", "rules.#3"), "gold or not: billing is for the planner and the researcher")


def stolen(story: Story) -> None:
    """A token in other hands."""
    title("4  The researcher shows a token that it stole from the planner")
    answer, error = by_hand(story, RESEARCHER, ADA, PLANNER)
    say(f"  The token is true: it is Ada's, for the planner. The certificate is true: it is the {bold(RESEARCHER)}'s.")
    say(yellow(quoted(f"HTTP {answer.status}, {error['message']}")))
    record = story.last(lambda record: record["decision"]["reason"] == "identity_mismatch")
    proven(answer.status == 403 and edges.callee_of(record) == BILLING, "refused with identity_mismatch, and on record")


def refusal(asks: Callable[[], object]) -> None:
    """Something that the official client is refused, in its words."""
    try:
        asks()
    except Refused as refused:
        return say(yellow(quoted(in_short(f"{refused.kind}: {refused.message}"))))
    ensure(False, "it is refused")


def by_hand(story: Story, caller: str, user: str, token_of: str) -> tuple[Response, dict]:
    """How billing refuses who shows this caller's certificate, and the token that some agent got for this user."""
    headers = [*basic(), ("authorization", f"Bearer {story.people.token(user, token_of)}")]
    asked = Exchange(headers, rpc("SendMessage", message("bill a journey to Rome")))
    answer = story.gateway.wire(BILLING, caller).send(asked)
    (told,) = messages(answer)
    return answer, told["error"]


def of_another(story: Story, task: str) -> None:
    """What is not yours is not there."""
    title("5  Bob asks for Ada's task")
    say(f"  {who(ASSISTANT, BOB)} reads task {task}")
    refusal(lambda: story.assistants[BOB, PLANNER].get(task))
    asker = Asker("1.0", "JSONRPC", story.people.token(BOB), "/agents/planner")
    wire = story.gateway.wire(PLANNER)
    answers = [wire.send(asker.asks("get", id)) for id in (task, str(uuid.uuid4()))]
    parts = [(one.status, [header for header in one.headers if header[0] != "date"], one.body) for one in answers]
    proven(parts[0] == parts[1], "byte for byte what he is told of a task that never was")
    own = story.assistants[ADA, PLANNER].get(task)
    proven(own["id"] == task, "Ada has it")


def pushing(story: Story, task: str) -> None:
    """An address where an agent must not speak to."""
    title("6  Ada's assistant wants the planner to tell a machine in its own network of the task")
    say(indented(PUSH))
    say(f"\n  {who(ASSISTANT, ADA)} registers {METADATA}")
    say(dim("  (2852039166 is 169.254.169.254, where clouds keep the keys of machines)"))
    refusal(lambda: story.assistants[ADA, PLANNER].push_create(task, {"url": METADATA}))
    ran = [one["operation"] for one in story.gateway.agents[PLANNER].ran()]
    proven("push_create" not in ran, "the planner never heard of it")


def reading(story: Story) -> None:
    """What agents say of themselves."""
    title("7  What callers read of the agents' cards")
    planner, billing = (story.assistants[ADA, callee].card for callee in (PLANNER, BILLING))
    own = story.gateway.agents[PLANNER].url
    say(f"  The planner says that it is at {own}. The assistant reads:")
    found = sorted({one["url"] for one in planner["supportedInterfaces"]})
    say(green(quoted(", ".join(found))))
    at_gateway = found == [story.gateway.url(PLANNER)]
    proven(at_gateway and own not in json.dumps(planner), "every address is the gateway's: nobody is led around it")
    token = ("authorization", f"Bearer {story.people.token(ADA, RESEARCHER)}")
    wire = story.gateway.wire(BILLING, RESEARCHER)
    card = wire.send(Exchange([token], b"", "GET", f"/agents/{BILLING}{CARD}")).json
    shown = {RESEARCHER: skills(card), ASSISTANT: skills(billing)}
    for caller, names in shown.items():
        say(f"  Skills of billing that the {bold(caller)} reads: {green(', '.join(names) or 'none')}")
    proven(shown == {RESEARCHER: ["bill", "refund"], ASSISTANT: []}, "who may not call it is not told what it can")


def in_a_ring(story: Story) -> None:
    """Agents that call each other round and round."""
    title("8  Somebody in a hurry allows everything, and three agents call each other in a ring")
    say(indented(HURRY))
    change(story, **yaml.safe_load(HURRY))
    say(dim("  Envoy runs on; the rule holds from the next request on."))
    say("")
    stop = ring(story, "loop_detected")
    is_ring = stop["callers"] == [ASSISTANT, *CLUSTERS]
    proven(is_ring, "stopped before the planner was called again; the record names the ring:")
    drawing.ring(stop)
    say("\n  Where agents may come round again:")
    say(indented(DEEP))
    change(story, **yaml.safe_load(DEEP))
    say("")
    stop = ring(story, "depth_limit")
    proven((stop["hop"], len(stop["callers"])) == (6, 6), "five calls deep it went, and not six:")
    drawing.ring(stop)


def ring(story: Story, reason: str) -> dict:
    """Ada's assistant sets off a ring; the record of the call that was refused."""
    task = story.asks(ADA, PLANNER, f"ring {ROUNDS}")
    ensure("HTTP Error 403" in text_of(task), "the ring ended")
    return story.last(lambda record: record["decision"]["reason"] == reason)


def change(story: Story, **parts: object) -> None:
    """Another configuration of the gate, while Envoy runs."""
    before = reloads(story)
    story.gateway.bootstrap.change_gate(**parts)
    ensure(eventually(lambda: reloads(story) > before, 15), "Envoy takes the new configuration")


def reloads(story: Story) -> int:
    """How many configurations of the gate Envoy took."""
    stats = story.gateway.envoy.stats()
    return sum(value for name, value in stats.items() if name.endswith("tollgate.gate.config_reload"))


def auditing(story: Story, records: list[dict]) -> None:
    """The same, for who asks tomorrow."""
    title("9  Which agent called which, for whom, allowed or not (the audit log: one line of JSON for each call)")
    graph = edges.graph(records)
    drawing.graph(graph)
    calls = edges.calls(records)
    told = {line.edge.reason for lines in graph.values() for line in lines if line.edge.verdict == "deny"}
    say(dim(f"  {len(calls)} calls, and {len(records) - len(calls)} readings of cards, which are no calls."))
    wanted = {"rule", "identity_mismatch", "not_there", "push_address", "loop_detected", "depth_limit"}
    proven(wanted == told, "every refusal above is in it, with its reason")
    say(f"\n  The config that ran: {CONFIG}, with the parts above. How it works: docs/agent.md.")


def who(agent: str, user: str) -> str:
    """Somebody who calls, for whom."""
    return f"{bold(agent)}, for {drawing.name(user)} ({USERS[user]}),"


def skills(card: dict) -> list[str]:
    """What an agent can, as its card says."""
    return [skill["id"] for skill in card.get("skills", [])]


def in_short(text: str) -> str:
    """Without the client's advice where to read of HTTP."""
    return re.sub(r"\s+For more information check: \S+", "", text)


def text_of(task: dict) -> str:
    """What came of a task: what it made, or why it made nothing."""
    parts = [part for artifact in task.get("artifacts", []) for part in artifact["parts"]]
    parts = parts or task["status"].get("message", {}).get("parts", [])
    return "".join(part.get("text", "") for part in parts)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        say("\nStopped, and everything that was started with it.")
        sys.exit(130)
