"""Sessions: generated from a seed, or an event queue of ACN-Sim from a file."""

import gzip
import json

import numpy as np
from acnportal.acnsim.events import EventQueue, PluginEvent
from acnportal.acnsim.models import EV, Battery

PERIOD = 5  # minutes
DAY = 24 * 60 // PERIOD
MOST_KW = 32 * 208 / 1000


def generated(station_ids, seed, days=7, a_day=30, times=1.3, cap_kw=30.0):
    """`a_day` sessions on each of `days` days, whose energy is `times` that of `cap_kw` over the whole time.

    Most cars come in the morning and stay for a working day, some come later, some stay over night.
    Gives (arrival, departure, kWh, station, id) with times in periods.
    """
    dice = np.random.default_rng(seed)
    free = dict.fromkeys(station_ids, 0)
    found = []
    for day in range(days):
        came = []
        for _ in range(a_day):
            kind = dice.random()
            if kind < 0.6:
                hour, stay = dice.normal(8.5, 1.3), dice.normal(8.0, 2.0)
            elif kind < 0.8:
                hour, stay = dice.uniform(10.0, 19.0), dice.gamma(3.0, 1.2)
            else:
                hour, stay = dice.normal(18.0, 2.0), dice.normal(12.5, 2.0)
            came.append((float(np.clip(hour, 0.0, 23.5)), float(np.clip(stay, 0.75, 18.0))))
        for hour, stay in sorted(came):
            arrival = day * DAY + int(hour * 60 / PERIOD)
            departure = min(arrival + max(int(stay * 60 / PERIOD), 6), days * DAY)
            if departure - arrival < 6:
                continue
            places = [name for name in station_ids if free[name] <= arrival]
            if not places:
                continue
            station = places[int(dice.integers(len(places)))]
            free[station] = departure + 1
            found.append([arrival, departure, station, float(dice.gamma(4.0, 0.25))])
    # What one could take at most bounds what it asks for, so the scale is found step by step.
    most = np.array([(d - a) * PERIOD / 60 * MOST_KW for a, d, _, _ in found])
    asks = np.array([ask for *_, ask in found])
    target = times * cap_kw * days * 24
    low, high = 0.0, 1e4
    for _ in range(100):
        scale = (low + high) / 2
        low, high = (scale, high) if np.minimum(asks * scale, 0.95 * most).sum() < target else (low, scale)
    kwh = np.minimum(asks * scale, 0.95 * most)
    return [(a, d, round(float(e), 3), s, f"s{at}") for at, ((a, d, s, _), e) in enumerate(zip(found, kwh))]


def from_file(path):
    """The sessions of an event queue of ACN-Sim, gzipped or not."""
    opened = gzip.open(path, "rt") if str(path).endswith(".gz") else open(path)
    with opened as file:
        text = file.read()
    context = json.loads(text)
    objects = context["context_dict"]
    sessions = []
    for _, event in objects[context["id"]]["attributes"]["_queue"]:
        event = objects[event]["attributes"]
        if event["event_type"] == "Plugin":
            ev = objects[event["ev"]]["attributes"]
            sessions.append(
                (ev["_arrival"], ev["_departure"], ev["_requested_energy"], ev["_station_id"], ev["_session_id"])
            )
    return sorted(sessions)


def queue(sessions):
    """A fresh event queue: batteries that take whatever is offered until they have what they want."""
    events = []
    for arrival, departure, kwh, station, name in sessions:
        ev = EV(arrival, departure, kwh, station, name, Battery(kwh, 0, 1000.0))
        events.append(PluginEvent(arrival, ev))
    return EventQueue(events)
