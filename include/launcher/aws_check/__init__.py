"""`make aws-check`: what an AWS account has, lacks and will be billed, looked at before anything is made there."""
