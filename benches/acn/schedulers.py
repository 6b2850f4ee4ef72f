"""Ours as a scheduler of ACN-Sim: every period, the state goes to `roamwatt load schedule` and the limits come back."""

import json
import subprocess
from datetime import timedelta, timezone

from acnportal.algorithms import BaseAlgorithm


class Roamwatt(BaseAlgorithm):
    """Our controller's decisions, by the same code as in a node.

    It is told which cars are plugged in, what they still want and, with `departures`, when they leave.
    """

    def __init__(self, program, site_file, policy, departures):
        super().__init__()
        self.max_recompute = 1
        self.departures = departures
        self.without_plan = 0
        command = [program, "load", "schedule", str(site_file), "--policy", policy]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, state):
        self.process.stdin.write(json.dumps(state) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(f"{answer}: {json.dumps(state)}")
        return answer

    def moment(self, period):
        at = self.interface._simulator.start + timedelta(minutes=self.interface.period * period)
        return at.replace(tzinfo=timezone.utc).isoformat()

    def schedule(self, active_sessions):
        # All cars that are plugged in, those that have enough as well: a node knows them, too.
        cars = []
        for evse in self.interface._simulator.network._EVSEs.values():
            ev = evse.ev
            if ev is None:
                continue
            car = {
                "station": evse.station_id,
                "id": ev.session_id,
                "arrival": self.moment(ev.arrival),
                "energy_kwh": max(ev.remaining_demand, 0.0),
                "delivered_kwh": ev.energy_delivered,
            }
            if self.departures:
                car["departure"] = self.moment(ev.estimated_departure)
            cars.append(car)
        answer = self.ask({"time": self.moment(self.interface.current_time), "cars": cars})
        self.without_plan += "without_plan" in answer
        return {limit["station"]: [limit["amps"]] for limit in answer["limits"]}

    def close(self):
        self.process.stdin.close()
        self.process.wait()
