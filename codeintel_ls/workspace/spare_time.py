"""Whether the machine has time for work that nobody waits for."""

import os

import psutil

_SPARE = 0.75
"""Processes that want a processor, for each there is: above, another would slow them down."""


def reason_to_wait() -> str:
    """Why such work should wait now, as an end of a sentence; empty where it need not."""
    # There is none, or the system does not tell: then there is no battery to empty.
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    if battery is not None and battery.power_plugged is False:
        return "the machine runs on its battery"
    if hasattr(os, "getloadavg") and os.getloadavg()[0] > _SPARE * (os.cpu_count() or 1) + 0.5:
        return "the machine is busy"
    return ""
