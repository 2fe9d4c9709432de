"""What people did wrong, or a service did to them, told in one message."""


class UserError(Exception):
    """The command line shows the message of such an error and no traceback."""


class UsageProblemError(UserError):
    """What was asked for has to be asked for differently; nothing is wrong with the data."""
