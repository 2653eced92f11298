"""All three gateways in one Envoy: an agent asks a model, calls a tool and calls another agent, and each leaves its record."""

import json

import pytest
import yaml

from harness.a2a import ADA, AGENTS, BOB, Python, Refused
from harness.bootstrap import ROOT
from harness.mcp import PythonClient
from harness.stack import KEYS, Stack
from mcp_servers.weak import WeakServer

TOOLS = [{"allow": {"tools": ["*"]}}, {"allow": {"methods": ["*"]}}]


def shipped(name):
    return yaml.safe_load((ROOT / "envoy" / name).read_text())


def test_the_stack_has_the_agent_gateway_as_it_is_alone():
    alone, stack = shipped("agent.yaml"), shipped("stack.yaml")
    (listener,) = alone["static_resources"]["listeners"]
    assert listener in stack["static_resources"]["listeners"]
    clusters = {one["name"]: one for one in stack["static_resources"]["clusters"]}
    for cluster in alone["static_resources"]["clusters"]:
        assert cluster["load_assignment"] == clusters[cluster["name"]]["load_assignment"]
        assert cluster["typed_extension_protocol_options"] == clusters[cluster["name"]]["typed_extension_protocol_options"]
    tags = stack["stats_config"]["stats_tags"]
    assert [tag for tag in alone["stats_config"]["stats_tags"] if tag not in tags] == []


def test_each_gateway_does_its_part(tmp_path):
    with WeakServer() as crm, AGENTS["python"]("planner") as planner, AGENTS["python"]("billing") as billing:
        with Stack(tmp_path, {}, TOOLS, crm, planner=planner, billing=billing) as stack:
            model = stack.sdk("openai", "ada")
            assert model.create("gpt-4o-mini", [model.user([model.text("hello")])], False).text
            tools = PythonClient(stack.tools_url, "modern", headers={"authorization": f"Bearer {KEYS['ada']}"})
            with tools as user:
                assert user.call("crm.search", query="Ada").text == "ran crm.search"
            planner.live(
                stack.agent_url("planner"),
                peers={"billing": stack.agent_url("billing")},
                tokens=stack.people.tokens("planner"),
                certificate=str(stack.people.certificate("planner")),
                authority=str(stack.people.authority.file),
            )
            billing.live(stack.agent_url("billing"))
            with Python(stack.agent_url("planner"), **stack.people.shows(ADA)) as user:
                assert "invoice for Ada" in json.dumps(user.send("call billing bill Ada"))
            with Python(stack.agent_url("planner"), **stack.people.shows(BOB)) as user:
                assert "invoice" not in json.dumps(user.send("call billing bill Bob")), "not on this tier"
            with pytest.raises(Refused), Python(stack.agent_url("billing"), **stack.people.shows(ADA)) as user:
                user.send("say hello")
            records = stack.envoy.wait_records(8)
    assert {record["filter"] for record in records} == {"llm", "mcp", "agent"}
    calls = [record for record in records if record["filter"] == "agent" and "a2a.operation" in record["asked"]]
    who = [(record["subject"]["agent"], record["asked"]["callee"], record["subject"]["user"]) for record in calls]
    edges = {(*edge, record["decision"]["verdict"]) for edge, record in zip(who, calls, strict=True)}
    assert {("planner", "billing", ADA, "allow"), ("planner", "billing", BOB, "deny")} <= edges
