"""The account that the cloud is, and the region of what names none."""

ACCOUNT = "000000000000"
DEFAULT_REGION = "us-east-1"
