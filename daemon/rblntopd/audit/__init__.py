"""The audit log: who changed which limits when and why, and what became of it. See docs/audit-log.md."""
