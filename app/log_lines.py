"""What the service writes to its log: every line that belongs to a request has its id."""

import logging
from contextvars import ContextVar
from typing import Any

SAID = "%(levelprefix)s %(request)s%(message)s"
ASKED = '%(levelprefix)s %(request)s%(client_addr)s - "%(request_line)s" %(status_code)s'

request_id: ContextVar[str] = ContextVar("request_id", default="")


class WithRequest(logging.Filter):
    """Gives every line the id of the request under way where it is written, in threads too."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every line pass."""
        id = request_id.get()
        record.request = f"request {id}: " if id else ""
        return True


def log_config(level: str) -> dict[str, Any]:
    """Return how lines of this level and above are written: requests to standard output, all else beside it."""
    forms = {
        "said": ("uvicorn.logging.DefaultFormatter", SAID),
        "asked": ("uvicorn.logging.AccessFormatter", ASKED),
    }
    streams = {"said": "ext://sys.stderr", "asked": "ext://sys.stdout"}
    loggers = {"neuromfa": "said", "uvicorn": "said", "uvicorn.access": "asked"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request": {"()": f"{__name__}.{WithRequest.__name__}"}},
        "formatters": {
            name: {"()": kind, "fmt": form, "use_colors": None} for name, (kind, form) in forms.items()
        },
        "handlers": {
            name: {
                "class": "logging.StreamHandler",
                "formatter": name,
                "filters": ["request"],
                "stream": stream,
            }
            for name, stream in streams.items()
        },
        "loggers": {
            name: {"handlers": [handler], "level": level.upper(), "propagate": name == "neuromfa"}
            for name, handler in loggers.items()
        },
    }
