"""Who may call: the keys that this cloud issued, the signatures that prove them, and what is refused before that."""
