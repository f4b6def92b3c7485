"""What AWS asks for what the project uses, on demand and without taxes: a small table, as old as it says."""

from __future__ import annotations

SOURCE = "https://aws.amazon.com/sagemaker/pricing/"
# Written down by hand, not read from AWS: the page is what counts.
AS_OF = "2025"
# Of training, download and upload of one run with the default settings, as billed.
RUN_MINUTES = 10
_USA = {"ml.g4dn.xlarge": 0.7364, "ml.m5.large": 0.115, "ml.m5.xlarge": 0.23, "ml.c5.xlarge": 0.204}
# USD an hour, the same for training and for endpoints.
_HOURLY = {"us-east-1": _USA, "us-east-2": _USA, "us-west-2": _USA}


def hourly(region: str, instance: str) -> float | None:
    """USD for an hour of one instance; None where the table does not know it."""
    return _HOURLY.get(region, {}).get(instance)


def an_hour(region: str, instance: str, verb: str = "costs") -> str:
    """One instance's price in words, with its source and date."""
    price = hourly(region, instance)
    if price is None:
        return f"the price of {instance} in {region} is not known here: see {SOURCE}"
    return f"{instance} {verb} {price:.2f} USD an hour, {24 * price:.2f} a day ({SOURCE}, {AS_OF})"


def a_run(region: str, instance: str) -> str:
    """What one run's training costs, in words."""
    price = hourly(region, instance)
    if price is None:
        return f"the price of {instance} in {region} is not known here: see {SOURCE}"
    cost = price * RUN_MINUTES / 60
    return f"about {cost:.2f} USD: {RUN_MINUTES} minutes of {instance} at {price:.2f} an hour ({SOURCE}, {AS_OF})"
