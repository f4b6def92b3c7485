"""The Amazon provider's operators, made safe to retry: each takes up what an earlier attempt left behind."""
