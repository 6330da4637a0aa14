"""What is, without policy: one typed model per question that a probe answers."""
