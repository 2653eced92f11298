"""A bad config does not load, and the log says where, what was found and what was expected."""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import jsonschema
import pytest
import yaml

from harness import Bootstrap, Envoy, teams
from harness.bootstrap import ROOT, SHIPPED

SCHEMA = ROOT / "docs" / "config.schema.json"
FORMATS = jsonschema.FormatChecker()


@FORMATS.checks("date-time", raises=ValueError)
def is_date_time(value: object) -> bool:
    """What the library leaves to another one."""
    return not isinstance(value, str) or bool(datetime.fromisoformat(value))


@dataclass(frozen=True)
class Bad:
    """A way to break the gate's config."""

    name: str
    change: Callable[[dict], object]
    says: tuple[str, ...]
    """What the log must contain: the path, what was found, what was expected."""
    schema: bool = True
    """Whether the JSON Schema sees it too; it cannot follow references between parts."""


def first_target(gate):
    return gate["models"]["claude-sonnet"]["targets"][0]


BAD = [
    Bad("unknown field", lambda gate: gate.update(modles={}), ("gate", "modles", "expected")),
    Bad(
        "unknown field deep inside",
        lambda gate: first_target(gate)["price"].update(inputt=1),
        ("gate.models.claude-sonnet.targets[0].price", "inputt", "expected"),
    ),
    Bad("missing field", lambda gate: gate.pop("keys"), ("gate", "keys")),
    Bad(
        "wrong type",
        lambda gate: first_target(gate).update(model=7),
        ("gate.models.claude-sonnet.targets[0].model", "7", "string"),
    ),
    Bad(
        "unknown format",
        lambda gate: gate["providers"]["openai"].update(format="grpc"),
        ("gate.providers.openai.format", "grpc", "openai-chat"),
    ),
    Bad(
        "unknown provider",
        lambda gate: first_target(gate).update(provider="gemini"),
        ("gate.models.claude-sonnet.targets[0].provider", "gemini", "anthropic"),
        schema=False,
    ),
    Bad(
        "no targets",
        lambda gate: gate["models"]["claude-sonnet"].update(targets=[]),
        ("gate.models.claude-sonnet.targets", "0", "1 to 8"),
    ),
    Bad(
        "unknown model of a key",
        lambda gate: gate["keys"][0].update(models=["gpt-9"]),
        ("gate.keys[0].models", "gpt-9", "claude-sonnet"),
        schema=False,
    ),
    Bad(
        "unknown route of a key",
        lambda gate: gate["keys"][0].update(routes=["fast lane"]),
        ("gate.keys[0].routes", "fast lane", "claude-sonnet"),
        schema=False,
    ),
    Bad(
        "unknown proof of who asks",
        lambda gate: gate.update(identity={"any_of": [["saml"]]}),
        ("gate.identity.any_of[0][0]", "saml", "mtls"),
    ),
    Bad(
        "a proof without its settings",
        lambda gate: gate.update(identity={"any_of": [["key"], ["jwt"]]}),
        ("gate.identity.any_of[1]", "jwt", "identity.jwt"),
        schema=False,
    ),
    Bad(
        "a signed header without a key",
        lambda gate: gate.update(
            identity={
                "any_of": [["key"], ["header"]],
                "header": {"name": "x-subject", "keys_from": "TOLLGATE_NO_SUCH_VARIABLE", "models": ["*"]},
            }
        ),
        ("gate.identity.header.keys_from", "no environment variable", "environment_variables"),
        schema=False,
    ),
    Bad(
        "a claim for no field",
        lambda gate: gate.update(
            identity={"any_of": [["jwt"]], "jwt": {"payload": "jwt", "claims": {"squad": "sub"}, "models": []}}
        ),
        ("gate.identity.jwt.claims.squad", "squad", "team"),
    ),
    Bad(
        "a workload's name that could mean two things",
        lambda gate: gate.update(
            identity={"any_of": [["mtls"]], "mtls": {"spiffe": "example.org/{team}", "models": []}}
        ),
        ("gate.identity.mtls.spiffe", "SPIFFE id"),
    ),
    Bad(
        "hash of the wrong length",
        lambda gate: gate["keys"][0].update(sha256=["abc123"]),
        ("gate.keys[0].sha256", "64"),
    ),
    Bad(
        "two keys of one id",
        lambda gate: gate["keys"].append(copy.deepcopy(gate["keys"][0])),
        ("gate.keys", "support"),
        schema=False,
    ),
    Bad(
        "a date that is none",
        lambda gate: gate["keys"][0].update(expires="next year"),
        ("gate.keys[0].expires", "next year"),
    ),
    Bad(
        "negative price",
        lambda gate: first_target(gate)["price"].update(input=-1),
        ("gate.models.claude-sonnet.targets[0].price.input", "-1"),
    ),
    Bad(
        "limit out of range",
        lambda gate: gate.update(bounds={"held_bytes": 1}),
        ("gate.bounds.held_bytes", "1", "1024"),
    ),
    Bad(
        "host that is a URL",
        lambda gate: gate["providers"]["openai"].update(host="https://api.openai.com"),
        ("gate.providers.openai.host", "host name"),
        schema=False,
    ),
    Bad(
        "credential in plain sight",
        lambda gate: gate["providers"]["openai"].update(headers={"authorization": "Bearer x"}),
        ("gate.providers.openai.headers", "credential_injector"),
        schema=False,
    ),
]


@pytest.fixture
def bootstrap(tmp_path):
    made = Bootstrap(tmp_path, {"openai": 1, "anthropic": 2}, teams.CREDENTIALS)
    made.gate(keys=teams.GATE_KEYS, models=teams.MODELS)
    return made


def with_gate(bootstrap, change):
    """The bootstrap, its gate's config changed."""
    gate = json.loads(json.dumps(bootstrap.gate_config))
    change(gate)
    bootstrap.gate_config.clear()
    bootstrap.gate_config.update(gate)
    return bootstrap.config


def test_the_tests_own_config_loads(bootstrap):
    good, output = Envoy.validate(bootstrap.config)
    assert good, output[-2000:]


def test_the_shipped_bootstrap_loads_as_it_is_but_for_paths(tmp_path):
    good, output = Envoy.validate(Bootstrap(tmp_path, {}, teams.CREDENTIALS).config)
    assert good, output[-2000:]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_a_bad_config_does_not_load_and_the_log_says_where(bootstrap, bad):
    good, output = Envoy.validate(with_gate(bootstrap, bad.change))
    assert not good
    said = "\n".join(line for line in output.splitlines() if "[wasm]" in line)
    for part in bad.says:
        assert part in said, output[-2000:]


def test_neither_gate_nor_provider_does_not_load(bootstrap):
    for plugin in bootstrap.plugins():
        plugin["configuration"]["value"] = {}
    good, output = Envoy.validate(bootstrap.config)
    assert not good and "expected `gate` or `provider`" in output


def test_a_secret_in_a_bad_config_is_not_logged(bootstrap):
    good, output = Envoy.validate(
        with_gate(bootstrap, lambda gate: gate["keys"][0].update(sha256=[teams.KEYS["support"]]))
    )
    assert not good and teams.KEYS["support"] not in output


@pytest.fixture(scope="module")
def schema():
    return json.loads(SCHEMA.read_text())


def test_the_schema_is_a_schema(schema):
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("shipped", sorted(SHIPPED.parent.glob("llm*.yaml")), ids=lambda path: path.stem)
def test_the_schema_accepts_what_is_shipped(schema, shipped):
    plugins = list(Bootstrap.plugins_in(yaml.safe_load(shipped.read_text())))
    assert len(plugins) > 1
    for plugin in plugins:
        jsonschema.validate(plugin["configuration"]["value"], schema)


def test_the_schema_accepts_the_tests_config(schema, bootstrap):
    jsonschema.validate({"gate": bootstrap.gate_config}, schema, format_checker=FORMATS)


@pytest.mark.parametrize("bad", [bad for bad in BAD if bad.schema], ids=lambda bad: bad.name)
def test_the_schema_rejects_what_does_not_load(schema, bootstrap, bad):
    with_gate(bootstrap, bad.change)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"gate": bootstrap.gate_config}, schema, format_checker=FORMATS)
