# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bundles and envelopes that somebody changed: kinds of change, each made anew from a random source."""

from __future__ import annotations

import base64
import json
import random
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _bundle, _statements
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import canonical_json
from ansible_collections.distrogate.ci.tests.faults.hostile.bundle_run import SealedRun
from ansible_collections.distrogate.ci.tests.faults.hostile.bundle_values import (
    bad_fields,
    deep,
    doubled,
    edited,
    json_values,
)

Json = dict[str, t.Any]
Files = dict[str, "bytes | None"]
Mutant = t.Callable[[SealedRun, random.Random], Files]


def _bundle_file(run: SealedRun, text: str | bytes) -> Files:
    return {
        **run.files(),
        "bundle.json": text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text,
    }


def _statement_file(run: SealedRun, name: str, text: str | bytes) -> Files:
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return {**run.files(), f"statements/{name}": data}


def _any(run: SealedRun, rng: random.Random) -> tuple[str, str]:
    return rng.choice(sorted(run.statements.items()))


def bundle_bytes(run: SealedRun, rng: random.Random) -> Files:
    """Some bytes changed, lost, doubled or added."""
    return _bundle_file(run, edited(run.text.encode(), rng))


def bundle_value(run: SealedRun, rng: random.Random) -> Files:
    """A value that no bundle may have: a name that leaves, a tag with a newline, a number too large."""
    bundle = json.loads(run.text)
    bad_fields(bundle["artifacts"], rng)
    return _bundle_file(run, json_values(bundle))


def bundle_forged(run: SealedRun, rng: random.Random) -> Files:
    """The same with the digest that fits, spelled as sealing spells it, and signed by a stranger."""
    bundle = json.loads(run.text)
    artifact = rng.choice(bundle["artifacts"])
    if rng.random() < 0.5:
        bad_fields(bundle["artifacts"], rng)
    elif rng.random() < 0.5:
        artifact["sha256"] = f"{rng.getrandbits(256):064x}"
    else:
        artifact["note"] = "harmless"
    try:
        bundle["digest"] = _bundle.bundle_digest(bundle)
    except Exception:  # noqa: BLE001  # what has no digest is offered with the one that it had
        return _bundle_file(run, json_values(bundle))
    files = _bundle_file(run, json_values(bundle))
    if rng.random() < 0.5:
        texts = run.said_of(bundle, run.stranger)
        files.update({f"statements/{name}": text.encode() for name, text in texts.items()})
    return files


def bundle_path(run: SealedRun, rng: random.Random) -> Files:
    """A file at another path, which no digest covers; it lies there, too."""
    bundle = json.loads(run.text)
    artifact = rng.choice([artifact for artifact in bundle["artifacts"] if "path" in artifact])
    data = run.files()[artifact["path"]]
    artifact["path"] = f"artifacts/{rng.getrandbits(32):x}"
    return {**_bundle_file(run, json_values(bundle)), artifact["path"]: data}


def bundle_shape(run: SealedRun, rng: random.Random) -> Files:
    """Artifacts lost, doubled, in another order; keys more or less; another version."""
    bundle = json.loads(run.text)
    artifacts = bundle["artifacts"]
    change = rng.randrange(7)
    if change == 0:
        artifacts.remove(rng.choice(artifacts))
    elif change == 1:
        artifacts.append(rng.choice(artifacts))
    elif change == 2:
        artifacts.reverse()
    elif change == 3:
        bundle.pop(rng.choice(["artifacts", "inputs", "version"]))
    elif change == 4:
        bundle[rng.choice(["more", "Version", "digest "])] = 1
    elif change == 5:
        bundle["version"] = rng.choice([0, 1, 3, "2", True, 2.0, None, [2], -(10**30)])
    else:
        bundle = rng.choice([None, [], 3, "x", [bundle], {"bundle": bundle}])
    if isinstance(bundle, dict) and rng.random() < 0.5 and {"artifacts", "inputs"} <= set(bundle):
        bundle["digest"] = _bundle.bundle_digest(bundle)
    return _bundle_file(run, json_values(bundle))


def bundle_spelling(run: SealedRun, rng: random.Random) -> Files:
    """The same value, spelled in another way; and what is not text."""
    value = json.loads(run.text)
    return _bundle_file(
        run,
        rng.choice(
            [
                canonical_json(value),
                json.dumps(value, indent=rng.choice([1, 3, 4])),
                run.text + " " * rng.randrange(1, 9),
                "\ufeff" + run.text,
                run.text.encode("utf-16"),
                run.text.replace("hello", "\\u0068ello", 1),
                run.text.replace("\n", "\r\n"),
                run.text.encode() + b"\0",
                run.text.encode().replace(b"hello", b"h\xffllo", 1),
            ]
        ),
    )


def bundle_doubled(run: SealedRun, rng: random.Random) -> Files:
    """A key that stands twice."""
    return _bundle_file(run, doubled(run.text, rng))


def bundle_deep(run: SealedRun, rng: random.Random) -> Files:
    """Something nested too deep, anywhere."""
    return _bundle_file(run, deep(run.text, rng))


def envelope_bytes(run: SealedRun, rng: random.Random) -> Files:
    name, text = _any(run, rng)
    return _statement_file(run, name, edited(text.encode(), rng))


def envelope_swapped(run: SealedRun, rng: random.Random) -> Files:
    """A part of another envelope, of this bundle or of another one."""
    name, text = _any(run, rng)
    others = {**run.statements_of_another, **{f"x{k}": v for k, v in run.statements.items() if k != name}}
    envelope, other = json.loads(text), json.loads(rng.choice(sorted(others.values())))
    part = rng.choice(["payload", "signatures"])
    envelope[part] = other[part]
    return _statement_file(run, name, canonical_json(envelope) + b"\n")


def envelope_of_another(run: SealedRun, rng: random.Random) -> Files:
    """What was truly said, of another bundle."""
    name, text = rng.choice(sorted(run.statements_of_another.items()))
    return _statement_file(run, name, text)


def envelope_signatures(run: SealedRun, rng: random.Random) -> Files:
    """Signatures of strangers, in their own name or in that of the trusted key; more than one; none."""
    name, text = _any(run, rng)
    envelope = json.loads(text)
    payload = json.loads(base64.b64decode(envelope["payload"]))
    (ours,) = envelope["signatures"]
    (theirs,) = json.loads(_statements.sign(payload, run.stranger))["signatures"]
    envelope["signatures"] = rng.choice(
        [
            [],
            [{**theirs, "keyid": ours["keyid"]}],
            [{**ours, "keyid": theirs["keyid"]}],
            [ours, theirs],
            [theirs, ours],
            [ours, ours],
            [{**ours, "more": rng.random()}],
            [{**ours, "sig": ours["sig"].rstrip("=")}],
            [{**ours, "sig": ours["sig"] + "\n"}],
            [{"sig": ours["sig"]}],
            ours,
            [None],
            [{**ours, "keyid": [ours["keyid"]]}],
        ]
    )
    return _statement_file(run, name, canonical_json(envelope) + b"\n")


def envelope_payload(run: SealedRun, rng: random.Random) -> Files:
    """Another payload below the same signature."""
    name, text = _any(run, rng)
    envelope = json.loads(text)
    payload = base64.b64decode(envelope["payload"]).decode()
    change = rng.randrange(4)
    if change == 0:
        payload = payload.replace('"result":"PASSED"', '"result":"FAILED"') + " "
    elif change == 1:
        payload = doubled(payload, rng)
    elif change == 2:
        payload = deep(payload, rng)
    else:
        payload = edited(payload.encode(), rng).decode("utf-8", "replace") + " "
    envelope["payload"] = base64.b64encode(payload.encode()).decode()
    if rng.random() < 0.2:
        envelope["payloadType"] = rng.choice(["", "application/json", None, 3])
    return _statement_file(run, name, canonical_json(envelope) + b"\n")


def envelope_signed_nonsense(run: SealedRun, rng: random.Random) -> Files:
    """What the trusted key signed, and is no statement: keys that stand twice, a missing subject."""
    name, text = _any(run, rng)
    payload = base64.b64decode(json.loads(text)["payload"]).decode()
    value = json.loads(payload)
    bad = rng.choice(
        [
            doubled(payload, rng),
            deep(payload, rng),
            json.dumps({**value, "_type": "https://in-toto.io/Statement/v0.1"}),
            json.dumps({**value, "subject": []}),
            json.dumps({**value, "subject": value["subject"] * 2}),
            json.dumps({**value, "subject": [{"digest": {"sha256": 5}}]}),
            json.dumps({**value, "predicate": [value["predicate"]]}),
            json.dumps({**value, "predicate": {"at_ns": float("inf")}}),
            "[]",
        ]
    )
    library = _statements._library()
    envelope = library.dsse.Envelope(bad.encode(), _statements.PAYLOAD_TYPE, {})
    envelope.sign(run.key.signer)
    return _statement_file(run, name, canonical_json(envelope.to_dict()) + b"\n")


def statement_lost(run: SealedRun, rng: random.Random) -> Files:
    """Something that promotion needs is not said any more."""
    needed = [
        name for name in run.statements if name.startswith(("provenance", "stage-build", "stage-install"))
    ]
    files = run.files()
    del files[f"statements/{rng.choice([*needed, 'said-0.json', 'said-2.json'])}"]
    return files


def file_changed(run: SealedRun, rng: random.Random) -> Files:
    """An artifact's file changed, is gone, or became a link."""
    files = run.files()
    name = rng.choice([name for name in files if name.startswith("artifacts/")])
    data = files[name] or b""
    if rng.random() < 0.3:
        del files[name]
    else:
        files[name] = rng.choice([None, edited(data, rng)])
    return files


MUTANTS: dict[str, Mutant] = {
    make.__name__: make
    for make in (
        bundle_bytes,
        bundle_value,
        bundle_forged,
        bundle_path,
        bundle_shape,
        bundle_spelling,
        bundle_doubled,
        bundle_deep,
        envelope_bytes,
        envelope_swapped,
        envelope_of_another,
        envelope_signatures,
        envelope_payload,
        envelope_signed_nonsense,
        statement_lost,
        file_changed,
    )
}
