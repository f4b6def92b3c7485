"""The access keys that this cloud issued: the data folder's own, its STS's sessions, and those of its IAM users.

The data folder's key is made at the first start and stands for the account's root user. Sessions of roles that the
cloud itself lends to functions and containers are kept where STS keeps its own, and end with what they were made for.
"""

from __future__ import annotations

import configparser
import contextlib
import os
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from ..errors import KeyFileError

FILE_NAME = "credentials"
_PROFILE = "default"
_ID_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_KEY_ID = re.compile(r"[A-Z][A-Z0-9]{15,127}")  # IAM's AccessKeyId, and no account's number
_SECRET = re.compile(r"[A-Za-z0-9/+=]{32,128}")
_ROLE_ARN = re.compile(r"arn:(?P<partition>[a-z-]+):iam::(?P<account>\d{12}):role/(?:.*/)?(?P<name>[^/]+)")


@dataclass(frozen=True)
class AccessKey:
    """Credentials as AWS knows them; `expires` is in epoch seconds, `account` the account that they act in."""

    id: str
    secret: str
    account: str
    token: str | None = None
    expires: float | None = None

    def environment(self) -> dict[str, str]:
        """The standard variables that hand these credentials to a process."""
        token = {"AWS_SESSION_TOKEN": self.token} if self.token else {}
        return {"AWS_ACCESS_KEY_ID": self.id, "AWS_SECRET_ACCESS_KEY": self.secret, **token}


class KeyRing:
    """Finds a key by its id, and lends sessions of roles to what the cloud starts."""

    def __init__(self, root: AccessKey) -> None:
        self.root = root

    @classmethod
    def open(cls, data: Path, account: str, given: AccessKey | None = None) -> Self:
        """The key ring of a data folder; `given` replaces the folder's key. Raises `KeyFileError`."""
        path = data / FILE_NAME
        if given is not None:
            _check(given.id, given.secret, "the environment")
            _write(path, given)
        elif not path.exists():
            _write(path, _made(account))
        return cls(_read(path, account))

    def find(self, key_id: str) -> AccessKey | None:
        """The key with this id, expired sessions included; None if this cloud never issued it or took it back."""
        if key_id == self.root.id:
            return self.root
        from ministack.services import sts

        session = sts._sessions.get(key_id)
        return _of_user(key_id) if session is None else _of_session(key_id, session)

    def lend(self, role_arn: str, session_name: str) -> AccessKey:
        """A new session of a role, valid until it is taken back or the cloud ends. Raises `ValueError`."""
        from ministack.services import sts

        role = _ROLE_ARN.fullmatch(role_arn)
        if role is None:
            raise ValueError(f"{role_arn!r} is no role's ARN: give arn:aws:iam::<account>:role/<name>")
        arn = f"arn:{role['partition']}:sts::{role['account']}:assumed-role/{role['name']}/{session_name}"
        key = AccessKey(_key_id("ASIA"), secrets.token_hex(20), role["account"], secrets.token_hex(64))
        session = {
            "Arn": arn,
            "UserId": f"AROA{key.id[4:]}:{session_name}",
            "SecretAccessKey": key.secret,
            "SessionToken": key.token,
            "AccountId": key.account,
            "PrincipalType": "AssumedRole",
        }
        sts.register_session(key.id, session)
        return key

    def take_back(self, key: AccessKey) -> None:
        """End a session that was lent."""
        from ministack.services import sts

        sts._sessions.pop(key.id, None)

    @contextlib.contextmanager
    def lent(self, role_arn: str, session_name: str) -> Iterator[AccessKey]:
        """A session of a role for as long as the block runs. Raises `ValueError`."""
        key = self.lend(role_arn, session_name)
        try:
            yield key
        finally:
            self.take_back(key)


def from_environment(account: str) -> AccessKey:
    """The key that the environment names, for a data folder that is to use it. Raises `KeyFileError`."""
    try:
        return AccessKey(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"], account)
    except KeyError as error:
        raise KeyFileError(f"{error.args[0]} is not set: --key-from-environment takes the key from there") from error


def _of_session(key_id: str, session: dict[str, Any]) -> AccessKey:
    account = session.get("AccountId") or session["Arn"].split(":")[4]
    return AccessKey(key_id, session["SecretAccessKey"], account, session["SessionToken"], session.get("Expiration"))


def _of_user(key_id: str) -> AccessKey | None:
    from ministack.services import iam

    for (account, stored), record in iam._access_keys.to_dict().items():
        if stored == key_id and record.get("Status") == "Active":
            return AccessKey(key_id, record["SecretAccessKey"], account)
    return None


def _made(account: str) -> AccessKey:
    return AccessKey(_key_id("AKIA"), secrets.token_hex(20), account)


def _key_id(prefix: str) -> str:
    return prefix + "".join(secrets.choice(_ID_ALPHABET) for _ in range(16))


def _check(key_id: str, secret: str, where: str) -> None:
    if not _KEY_ID.fullmatch(key_id):
        raise KeyFileError(f"the access key id {key_id!r} in {where} is not 16 to 128 capital letters and digits")
    if not _SECRET.fullmatch(secret):
        raise KeyFileError(f"the secret access key in {where} is not 32 to 128 letters, digits, '/', '+' and '='")


def _write(path: Path, key: AccessKey) -> None:
    """Replace the file in one step; nobody but its owner can ever read it."""
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"[{_PROFILE}]\naws_access_key_id = {key.id}\naws_secret_access_key = {key.secret}\n")
    part.rename(path)


def _read(path: Path, account: str) -> AccessKey:
    """A file in the AWS shared credentials format."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text())
        profile = parser[_PROFILE]
        key = AccessKey(profile["aws_access_key_id"], profile["aws_secret_access_key"], account)
    except (OSError, KeyError, configparser.Error, UnicodeDecodeError) as error:
        raise KeyFileError(f"{path} holds no access key ({error}): delete it, and a new one is made") from error
    _check(key.id, key.secret, str(path))
    return key


def is_expired(key: AccessKey) -> bool:
    return key.expires is not None and time.time() > key.expires
