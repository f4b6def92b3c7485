"""Where captures are read and reports are written: a bucket or, with the same keys, a local folder."""
