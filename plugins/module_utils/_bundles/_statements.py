# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signed statements about a bundle: in-toto Statement v1 in DSSE envelopes."""

from __future__ import annotations

import dataclasses
import os
import re
import types
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._values import check_value
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import (
    canonical_json,
    digest_json,
    parse_json,
)

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
PROVENANCE = "https://slsa.dev/provenance/v1"
PROMOTION = "urn:distrogate.ci:promotion:v1"
WAIVER = "urn:distrogate.ci:waiver:v1"
HOLD = "urn:distrogate.ci:hold:v1"
HOLD_RELEASE = "urn:distrogate.ci:hold-release:v1"
BUILD_TYPE = "urn:distrogate.ci:pipeline:v1"
BOOT_TEST = "image_boot_test"  # the stage whose verdict is about single artifacts

_RESULTS = {"success": "PASSED", "failure": "FAILED"}
_COMMIT = re.compile(r"^[0-9a-f]{40}([0-9a-f]{24})?$")
_KEYID = re.compile(r"[0-9a-f]{64}")
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_LIMIT = 4 << 20

Json = dict[str, t.Any]


def _library() -> types.SimpleNamespace:
    """The signing library, loaded when something is signed or verified and not before."""
    try:
        from cryptography.hazmat.primitives import serialization
        from securesystemslib import dsse, exceptions, signer
    except ImportError as error:
        raise DistrogateError(
            "missing_library",
            "Signing needs the Python library securesystemslib[crypto] on the controller. Install it for the"
            f" Python that runs ansible-playbook ({error}).",
        ) from error
    return types.SimpleNamespace(serialization=serialization, dsse=dsse, exceptions=exceptions, signer=signer)


@dataclasses.dataclass(frozen=True)
class PublicKey:
    """A key that verifies. ``keyid`` is computed from the key itself, so it cannot lie."""

    keyid: str
    pem: str
    key: t.Any = dataclasses.field(repr=False, compare=False)


@dataclasses.dataclass(frozen=True)
class SigningKey:
    """A key that signs; its private part is neither printed nor written."""

    public: PublicKey
    signer: t.Any = dataclasses.field(repr=False, compare=False)


def _public(lib: types.SimpleNamespace, crypto_key: t.Any) -> PublicKey:
    key = lib.signer.SSlibKey.from_crypto(crypto_key)
    if key.keytype not in ("ed25519", "ecdsa"):
        raise DistrogateError(
            "bad_key", f"Keys of type {key.keytype} do not sign bundles; use Ed25519 or ECDSA."
        )
    form = lib.serialization.PublicFormat.SubjectPublicKeyInfo
    pem = crypto_key.public_bytes(lib.serialization.Encoding.PEM, form).decode()
    return PublicKey(key.keyid, pem, key)


def load_public_key(pem: str, name: str) -> PublicKey:
    """A public key from PEM text."""
    lib = _library()
    try:
        return _public(lib, lib.serialization.load_pem_public_key(pem.encode("utf-8")))
    except (ValueError, TypeError) as error:
        raise DistrogateError(
            "bad_key", f"{name} is not a public key in PEM form that can verify bundles."
        ) from error


def load_signing_key(path: str | None, variable: str | None, environment: t.Mapping[str, str]) -> SigningKey:
    """The private key from a file, or from an environment variable, of the controller."""
    if path:
        try:
            with open(os.path.expanduser(path), "rb") as stream:
                pem = stream.read(65536)
        except OSError as error:
            raise DistrogateError(
                "bad_key", f"The signing key {path} cannot be read: {error.strerror}."
            ) from error
        name = path
    elif variable:
        pem, name = environment.get(variable, "").encode("utf-8"), f"the variable {variable}"
    else:
        raise DistrogateError(
            "no_key", "Nothing to sign with. Set the option signing_key or signing_key_env."
        )
    lib = _library()
    try:
        private = lib.serialization.load_pem_private_key(pem, None)
        public = _public(lib, private.public_key())
        return SigningKey(public, lib.signer.CryptoSigner(private, public.key))
    except (ValueError, TypeError):
        # Without the cause: a parser's message may quote what it read, and that is the key.
        raise DistrogateError(
            "bad_key", f"{name} holds no Ed25519 or ECDSA private key in PEM form without a passphrase."
        ) from None


def statement(digest: str, predicate_type: str, predicate: Json) -> Json:
    """An in-toto statement whose subject is the bundle of that digest."""
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": digest, "digest": {"sha256": digest.partition(":")[2]}}],
        "predicateType": predicate_type,
        "predicate": predicate,
    }


def stage_statement(digest: str, record: Json) -> tuple[str, Json] | None:
    """The name and the statement of a stage's verdict; None when the stage came to none."""
    result = _RESULTS.get(record["verdict"])
    if result is None:
        return None
    record_digest = digest_json(record)[len("sha256:") :]
    name = record["stage"]
    predicate = {
        "result": result,
        "configuration": [{"name": f"stages/{name}.json", "digest": {"sha256": record_digest}}],
        "stage": name,
        "at_ns": record["started_ns"],
        "seconds": record["seconds"],
        "message": record["message"],
        "reason": record["reason"],
    }
    if name == BOOT_TEST:
        predicate["tested"] = sorted(set(_digests(record["inputs"])))
    return f"stage-{name}-{record_digest[:16]}.json", statement(digest, TEST_RESULT, predicate)


def _digests(value: t.Any) -> t.Iterator[str]:
    """Every sha256 in a stage's inputs."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _digests(item)
    elif isinstance(value, str) and (match := _DIGEST.fullmatch(value)):
        yield match[1]


def verdict_statement(digest: str, name: str, result: str, at_ns: int, extra: Json) -> Json:
    """A verdict that came after sealing, from anywhere."""
    predicate = {**extra, "result": result, "configuration": [], "stage": name, "at_ns": at_ns}
    return statement(digest, TEST_RESULT, predicate)


def provenance_statement(bundle: Json, bundle_sha256: str, frozen: Json, builder: str, finished: str) -> Json:
    """SLSA provenance: which inputs, on which builder, became the bundle."""
    projects = [entry for entry in bundle["inputs"].get("queue", []) if isinstance(entry, dict)]
    dependencies = [
        {"name": str(entry.get("project")), "digest": {"gitCommit": entry["commit"]}}
        for entry in projects
        if _COMMIT.match(str(entry.get("commit")))
    ]
    metadata = {"invocationId": str(frozen.get("id") or ""), "finishedOn": finished}
    if frozen.get("created"):
        metadata["startedOn"] = frozen["created"]
    return statement(
        bundle["digest"],
        PROVENANCE,
        {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": bundle["inputs"],
                "resolvedDependencies": dependencies,
            },
            "runDetails": {
                "builder": {"id": f"urn:distrogate.ci:builder:{builder}"},
                "metadata": metadata,
                "byproducts": [{"name": "bundle.json", "digest": {"sha256": bundle_sha256}}],
            },
        },
    )


def sign(value: Json, key: SigningKey) -> str:
    """The envelope of a statement, in its one spelling."""
    envelope = _library().dsse.Envelope(canonical_json(value), PAYLOAD_TYPE, {})
    envelope.sign(key.signer)
    return _spelling(envelope.to_dict())


def _spelling(envelope: Json) -> str:
    return canonical_json(envelope).decode("utf-8") + "\n"


@dataclasses.dataclass(frozen=True)
class Statement:
    """A statement whose signature was verified: its file, predicate and who signed it."""

    name: str
    keyid: str
    subject: str
    predicate_type: str
    predicate: Json


def verify(name: str, text: str, keys: t.Sequence[PublicKey]) -> Statement:
    """Read an envelope as a stranger's.

    Errors: ``bad_statement`` (form, or a signature that is wrong) and
    ``unknown_signer`` (no key of ``keys`` made it).
    """
    lib = _library()
    try:
        raw = parse_json(text, name, _LIMIT)
        (signature,) = raw["signatures"]  # what a signature does not cover, somebody may add: more of them
        if set(signature) != {"keyid", "sig"}:  # or keys beside it
            raise DistrogateError("bad_statement", f"The signature of {name} has other parts: it was edited.")
        if not _KEYID.fullmatch(signature["keyid"]):  # it is printed
            raise DistrogateError("bad_statement", f"The signature of {name} has no key's id.")
        named = {signature["keyid"]}
        envelope = lib.dsse.Envelope.from_dict(raw)
        if _spelling(envelope.to_dict()) != text or envelope.payload_type != PAYLOAD_TYPE:
            raise DistrogateError(
                "bad_statement", f"{name} is not spelled as signing spells it: it was edited."
            )
        payload = parse_json(envelope.payload, f"the payload of {name}", _LIMIT)
        check_value(payload, "bad_statement", f"The payload of {name}")
        known = [key for key in keys if key.keyid in named]
        if not known:
            raise DistrogateError(
                "unknown_signer",
                f"{name} is signed by {', '.join(sorted(named)) or 'nobody'}, who is not trusted.",
                claimed_type=str(payload["predicateType"]),
            )
        accepted = envelope.verify([key.key for key in known], 1)
        (subject,) = payload["subject"]
        if payload["_type"] != STATEMENT_TYPE or not isinstance(payload["predicate"], dict):
            raise DistrogateError("bad_statement", f"{name} does not hold an in-toto statement of version 1.")
        return Statement(
            name=name,
            keyid=next(iter(accepted)),
            subject="sha256:" + subject["digest"]["sha256"],
            predicate_type=str(payload["predicateType"]),
            predicate=payload["predicate"],
        )
    except lib.exceptions.VerificationError as error:
        raise DistrogateError("bad_statement", f"The signature of {name} is wrong: it was edited.") from error
    except DistrogateError as error:
        if error.reason == "bad_json":
            raise DistrogateError("bad_statement", error.message) from error
        raise
    except Exception as error:  # the library reads a stranger's file: whatever it raises, the file is bad
        raise DistrogateError(
            "bad_statement", f"{name} does not have the form of an envelope: {error!r}"
        ) from error
