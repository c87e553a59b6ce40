"""Other programs, and what went wrong with them."""

import subprocess


class Failure(Exception):
    """A sentence on what went wrong with one participant."""


def run(*command):
    try:
        return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True).stdout
    except OSError as error:
        raise Failure(f"{command[0]}: {error.strerror}") from None
    except subprocess.CalledProcessError as error:
        raise Failure(f"{command[0]}: {error.stderr.strip()[-400:] or f'exit status {error.returncode}'}") from None
