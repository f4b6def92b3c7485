"""What the endpoint captured: reading data-capture files and building the nightly report."""
