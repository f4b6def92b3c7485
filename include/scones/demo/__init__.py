"""Invented traffic for a demonstration: days of plausible requests with a drift that begins on one of them."""
