"""Our load management beside the schedulers of ACN-Sim, in its own simulator: see README.md."""

import argparse
import sys
import tempfile
import time
import warnings
from datetime import datetime
from pathlib import Path

warnings.filterwarnings("ignore")

import numpy as np
from acnportal.acnsim import Simulator

import sessions as trace
import sites
from optimum import optimum
from schedulers import Roamwatt
from theirs import check_at_once, theirs

START = datetime(2026, 1, 5)


def ours(program, file):
    return {
        "roamwatt solver": Roamwatt(program, file, "solver", False),
        "roamwatt, departures unknown": Roamwatt(program, file, "planner", False),
        "roamwatt, departures known": Roamwatt(program, file, "planner", True),
    }


def play(network, scheduler, found):
    """Energy delivered, Jain's index of the shares, periods with a violation, the worst of them."""
    simulator = Simulator(network, scheduler, trace.queue(found), START, period=trace.PERIOD, verbose=False)
    simulator.run()
    evs = simulator.ev_history.values()
    delivered = sum(ev.energy_delivered for ev in evs)
    shares = np.array([ev.energy_delivered / ev.requested_energy for ev in evs if ev.requested_energy > 0])
    jain = shares.sum() ** 2 / (len(shares) * (shares**2).sum())
    # Recomputed from the constraint matrix and from what was allowed, not from what was drawn.
    turned = network.constraint_matrix * np.exp(1j * np.deg2rad(network._phase_angles))[None, :]
    over = np.abs(turned @ simulator.pilot_signals) / network.magnitudes[:, None] - 1
    violations = int((over.max(axis=0) > 1e-7).sum())
    return delivered, jain, violations, max(float(over.max()), 0.0)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True, help="the roamwatt program")
    parser.add_argument("--site", choices=["caltech", "jpl"], action="append", help="default: both")
    parser.add_argument("--cap", type=float, action="append", help="kW; default: 20, 30, 45 and 60")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--times", type=float, default=1.3, help="demand by the energy of a 30 kW cap")
    parser.add_argument("--around-the-clock", action="store_true", help="as many cars at night; see README.md")
    parser.add_argument("--trace", help="event queue of ACN-Sim (JSON, may be gzipped) instead of generated sessions")
    parser.add_argument("--only-ours", action="store_true")
    parser.add_argument("--their-check", action="store_true", help="ACN-Sim's schedulers check limits one by one")
    args = parser.parse_args()
    if not args.their_check:
        check_at_once()
    failed = False
    for site in args.site or ["caltech", "jpl"]:
        names = sites.network(site, 30.0).station_ids
        if args.trace:
            found = [session for session in trace.from_file(args.trace) if session[3] in names]
        else:
            found = trace.generated(names, args.seed, times=args.times, around=args.around_the_clock)
        wanted = sum(session[2] for session in found)
        print(f"\n{site}: {len(found)} sessions, {wanted:.0f} kWh wanted", flush=True)
        for cap in args.cap or [20.0, 30.0, 45.0, 60.0]:
            best, outside = optimum(sites.network(site, cap), found)
            print(
                f"\n{site} at {cap:g} kW: optimum {best:.1f} kWh, {100 * best / wanted:.1f} % of what is wanted"
                f" (at most {outside + 1e-5:.0e} too high)",
                flush=True,
            )
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "site.toml"
                file.write_text(sites.toml(site, cap))
                mine = ours(args.program, file)
                apart = sites.same_rows(sites.network(site, cap), mine["roamwatt solver"].ask({"ask": "rows"})["rows"])
                print(f"rows differ from the constraint matrix by {apart:.1e} of a cap", flush=True)
                failed |= apart > 1e-9
                print(f"{'scheduler':30} {'% of optimum':>12} {'Jain':>6} {'violations':>10} {'worst':>7} {'seconds':>8}")
                for name, scheduler in (mine if args.only_ours else theirs() | mine).items():
                    begun = time.perf_counter()
                    delivered, jain, violations, worst = play(sites.network(site, cap), scheduler, found)
                    seconds = time.perf_counter() - begun
                    print(
                        f"{name:30} {100 * delivered / best:12.2f} {jain:6.3f} {violations:10} {100 * worst:6.1f}%"
                        f" {seconds:8.1f}",
                        flush=True,
                    )
                    if name in mine:
                        failed |= violations > 0
                        if scheduler.without_plan:
                            print(f"{'':30} {scheduler.without_plan} decisions without a plan", flush=True)
                for scheduler in mine.values():
                    scheduler.close()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
