"""What AWS says of a resource that is not there: each service has its own word for it, and some only a sentence."""

from __future__ import annotations

from botocore.exceptions import ClientError

CODES = {"NoSuchKey", "NoSuchBucket", "404", "ResourceNotFound", "ResourceNotFoundException"}
# SageMaker and CloudFormation call it a request that is not valid, and say in the message what is wrong with it.
SPOKEN = {"ValidationException", "ValidationError"}
SENTENCES = ("could not find", "not found", "does not exist")


def is_missing(error: ClientError) -> bool:
    """Whether the error says that the resource, or the bucket of an object, does not exist."""
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "").lower()
    return code in CODES or (code in SPOKEN and any(sentence in message for sentence in SENTENCES))
