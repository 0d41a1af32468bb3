"""What the stack says when it cannot go on."""


class StackError(Exception):
    """A reason to stop, worded for the person at the terminal."""
