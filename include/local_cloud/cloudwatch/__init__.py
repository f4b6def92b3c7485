"""CloudWatch's metric alarms, by CloudWatch's own rules; the metrics themselves are with MiniStack."""
