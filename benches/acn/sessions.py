"""Sessions: generated from a seed, or an event queue of ACN-Sim from a file."""

import gzip
import json

import numpy as np
from acnportal.acnsim.events import EventQueue, PluginEvent
from acnportal.acnsim.models import EV, Battery

PERIOD = 5  # minutes
DAY = 24 * 60 // PERIOD
MOST_KW = 32 * 208 / 1000


def generated(station_ids, seed, days=7, a_day=30, times=1.3, cap_kw=30.0, around=False):
    """`a_day` sessions on each of `days` days, whose energy is `times` that of a cap of `cap_kw`.

    A cap can only deliver while cars are there, and no more than they take: that is its energy here. Most cars come
    in the morning and stay for a working day, some come later. With `around`, as many stay over night, so that the
    energy of the cap is about that of all hours of the week.
    Gives (arrival, departure, kWh, station, id) with times in periods.
    """
    dice = np.random.default_rng(seed)
    free = dict.fromkeys(station_ids, 0)
    found = []
    for day in range(days):
        for hour, stay in sorted(_visit(dice, around) for _ in range(a_day)):
            arrival = day * DAY + int(hour * 60 / PERIOD)
            departure = min(arrival + max(int(stay * 60 / PERIOD), 6), days * DAY)
            places = [name for name in station_ids if free[name] <= arrival]
            if departure - arrival < 6 or not places:
                continue
            station = places[int(dice.integers(len(places)))]
            free[station] = departure + 1
            found.append((arrival, departure, station, float(dice.gamma(8.0, 1.0 / 8.0))))
    there = np.zeros(days * DAY)
    for arrival, departure, _, _ in found:
        there[arrival:departure] += MOST_KW
    target = times * np.minimum(there, cap_kw).sum() * PERIOD / 60
    # What one could take at most bounds what it asks for, so the scale is found step by step.
    most = np.array([(departure - arrival) * PERIOD / 60 * MOST_KW for arrival, departure, _, _ in found])
    asks = np.array([ask for *_, ask in found])
    low, high = 0.0, 1e4
    for _ in range(100):
        scale = (low + high) / 2
        low, high = (scale, high) if np.minimum(asks * scale, 0.9 * most).sum() < target else (low, scale)
    kwh = np.minimum(asks * scale, 0.9 * most)
    return [(a, d, round(float(e), 3), s, f"s{at}") for at, ((a, d, s, _), e) in enumerate(zip(found, kwh))]


def _visit(dice, around):
    """The hour of the day at which a car comes, and for how many hours it stays."""
    kind = dice.random()
    if around and kind < 0.45:
        hour, stay = dice.normal(18.0, 2.0), dice.normal(12.0, 2.0)
    elif kind < 0.8:
        hour, stay = dice.normal(8.5, 1.5), dice.normal(8.5, 1.5)
    else:
        hour, stay = dice.uniform(6.0, 18.0), dice.normal(5.0, 2.0)
    return float(np.clip(hour, 0.0, 23.5)), float(np.clip(stay, 1.5, 18.0))


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
