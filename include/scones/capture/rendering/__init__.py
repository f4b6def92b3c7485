"""From figures to pictures and pages."""
