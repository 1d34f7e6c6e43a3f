"""The two errors that end a command with a message and no traceback."""


class PrerequisiteError(Exception):
    """The user can mend this before anything is spent: what, where, and the fix. Exit 2."""


class RunError(Exception):
    """A run stopped on a fault outside our code; the run can be resumed. Exit 3."""
