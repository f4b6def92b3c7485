"""The runtime API: InvokeEndpoint."""
