"""The one tree of errors: every failure a user can meet says what was wrong, with which input, and what to do.

::

    NeuroMFAError
    ├── OptionError                an option or a parameter outside what is allowed
    ├── MissingExtra               a part of the installation that was left out; an ImportError too
    ├── SourceError                a checkpoint that cannot be read
    │   ├── CheckpointMissing      no such path, repository, revision or step
    │   ├── UnsupportedArchitecture
    │   ├── UnsupportedFormat      a known way of storing numbers that is not read
    │   ├── UnsafeFormat           a file that wants more than tensors
    │   └── CorruptFile
    ├── AnalysisError              numbers that do not exist for this input
    │   ├── EmptyNetwork           no neuron has enough edges in range
    │   ├── TooFewRadii            a slope needs two radii
    │   ├── NoBaseline
    │   └── UndefinedEmergence     the baseline has no width, or an alpha0 is not positive
    ├── StoreError
    │   ├── StoreUnavailable       down, wrong address or wrong password
    │   ├── QueryTimeout
    │   ├── QueryTooLarge          more memory than one query may use
    │   ├── QueryRefused           a query of a user's that may not run, or that the server cannot understand
    │   ├── SchemaMismatch         a store of another tool or of a newer version
    │   ├── NotStored              nothing under that name
    │   └── StoreConflict          somebody else is writing the same thing
    ├── JobError
    └── ServiceError               a running service that was asked over REST and cannot answer
        ├── ServiceUnavailable     nobody answers at that address, or not in time
        ├── KeyRefused             the key is missing, or is not one that may do this
        └── ServiceBusy            as many requests as there may be are under way; `retry_after_s` says when to ask
"""


class NeuroMFAError(Exception):
    """Root of all errors this project raises on purpose; the message is one sentence for a person."""


class OptionError(NeuroMFAError):
    """An option or parameter is outside what is allowed."""


class MissingExtra(NeuroMFAError, ImportError):
    """A part of the installation was left out; the message has the line that installs it."""


class SourceError(NeuroMFAError):
    """A checkpoint cannot be read."""


class CheckpointMissing(SourceError):
    """No such path, repository, revision or step."""


class UnsupportedArchitecture(SourceError):
    """No architecture file describes these tensors."""


class UnsupportedFormat(SourceError):
    """A known way of storing numbers that is not read, such as scaled float8 or a compressed archive."""


class UnsafeFormat(SourceError):
    """A file that asks for more than tensors; nothing of it was executed."""


class CorruptFile(SourceError):
    """A file that contradicts itself or its length."""


class AnalysisError(NeuroMFAError):
    """A number that does not exist for this input."""


class EmptyNetwork(AnalysisError):
    """No neuron keeps enough edges in range."""


class TooFewRadii(AnalysisError):
    """A slope needs at least two radii."""


class NoBaseline(AnalysisError):
    """Emergence was asked for against a baseline that is not there."""


class UndefinedEmergence(AnalysisError):
    """E does not exist for these numbers; `reason` is the name used in results."""

    def __init__(self, message: str, *, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason


class StoreError(NeuroMFAError):
    """The graph store cannot do what was asked."""


class StoreUnavailable(StoreError):
    """The store is down, at another address, or refuses the password."""


class QueryTimeout(StoreError):
    """A query ran longer than its limit."""


class NobodyWaits(QueryTimeout):
    """Whoever asked has left before the answer."""


class QueryTooLarge(StoreError):
    """A query, or its answer, wants more memory than one may use."""


class QueryRefused(StoreError):
    """A query of a user's that may not run, or that the server cannot understand."""


class SchemaMismatch(StoreError):
    """The store was written by a newer version or by another tool."""


class NotStored(StoreError):
    """The store has nothing under that name."""


class StoreConflict(StoreError):
    """Another writer holds the same object."""


class JobError(NeuroMFAError):
    """A job cannot be queued, claimed or finished."""


class ServiceError(NeuroMFAError):
    """A running service that was asked over REST cannot answer."""


class ServiceUnavailable(ServiceError):
    """Nobody answers at that address, or not in time."""


class KeyRefused(ServiceError):
    """The key is missing, or is not one that may do this."""


class ServiceBusy(ServiceError):
    """As many requests as there may be are under way; `retry_after_s` is when to ask again, in seconds."""

    def __init__(self, message: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
