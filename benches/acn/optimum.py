"""The most energy that could have been delivered had everything been known: by HiGHS, with phasor limits.

A phasor limit |s| <= c is a cone. It is approached from outside by tangents, which are added where the last
solution is outside, until none is outside by more than `TOLERANCE`. So the result is never below the true optimum,
and above it by no more than that part.
"""

import highspy
import numpy as np

PERIOD_HOURS = 5 / 60
TOLERANCE = 1e-5
# With how many tangents around each cone it begins, and in how many rounds more are added.
FIRST = 24
ROUNDS = 200


def optimum(acn, sessions):
    """kWh delivered at best, and by how much the last solution is outside of a cone, relative to its cap."""
    angles = np.exp(1j * np.deg2rad(acn._phase_angles))
    matrix, caps = acn.constraint_matrix * angles[None, :], acn.magnitudes
    place = {name: at for at, name in enumerate(acn.station_ids)}
    total, worst = 0.0, 0.0
    for part in _parts(sessions):
        kwh, outside = _solve(matrix, caps, place, acn._voltages, part)
        total, worst = total + kwh, max(worst, outside)
    return total, worst


def _parts(sessions):
    """Sessions in groups that do not meet: each is a problem of its own."""
    group, end = [], None
    for session in sorted(sessions):
        if group and session[0] >= end:
            yield group
            group, end = [], None
        group.append(session)
        end = session[1] if end is None else max(end, session[1])
    if group:
        yield group


def _solve(matrix, caps, place, volts, sessions):
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    begin = min(session[0] for session in sessions)
    end = max(session[1] for session in sessions)
    there = [[] for _ in range(begin, end)]
    for arrival, departure, kwh, station, _ in sessions:
        at = place[station]
        kwh_per_amp = volts[at] / 1000 * PERIOD_HOURS
        first = solver.getNumCol()
        for period in range(arrival, departure):
            there[period - begin].append((solver.getNumCol(), at))
            solver.addCol(-kwh_per_amp, 0.0, 32.0, 0, np.array([], dtype=np.int32), np.array([]))
        columns = np.arange(first, solver.getNumCol(), dtype=np.int32)
        solver.addRow(-highspy.kHighsInf, kwh / kwh_per_amp, len(columns), columns, np.ones(len(columns)))
    # One real and one imaginary part of each row's sum in each period, as columns of their own.
    sums = []
    for cars in there:
        for row in range(len(caps)):
            terms = [(column, matrix[row, at]) for column, at in cars if matrix[row, at] != 0]
            if sum(abs(a) for _, a in terms) * 32.0 <= caps[row]:
                continue
            pair = []
            for pick in (np.real, np.imag):
                column = solver.getNumCol()
                solver.addCol(0.0, -highspy.kHighsInf, highspy.kHighsInf, 0, np.array([], dtype=np.int32), np.array([]))
                index = np.array([c for c, _ in terms] + [column], dtype=np.int32)
                value = np.array([float(pick(a)) for _, a in terms] + [-1.0])
                solver.addRow(0.0, 0.0, len(index), index, value)
                pair.append(column)
            sums.append((pair[0], pair[1], caps[row]))
            directions = {round(float(np.angle(a)), 6) for _, a in terms}
            for direction in directions | set(np.arange(FIRST) * 2 * np.pi / FIRST):
                _tangent(solver, pair, direction, caps[row])
    for _ in range(ROUNDS):
        _run(solver)
        x = np.array(solver.getSolution().col_value)
        outside = 0.0
        for real, imaginary, cap in sums:
            size = float(np.hypot(x[real], x[imaginary]))
            if size > cap * (1 + TOLERANCE):
                outside = max(outside, size / cap - 1)
                _tangent(solver, (real, imaginary), float(np.arctan2(x[imaginary], x[real])), cap)
        if outside == 0.0:
            return -solver.getObjectiveValue(), outside
    raise RuntimeError(f"after {ROUNDS} rounds of tangents the solution is still outside by {outside:.1e}")


def _run(solver):
    """Solves it to the end. After many new rows the last basis can lead astray; then it begins anew, and last by the
    interior point method."""
    for method in ("choose", "simplex", "ipm"):
        solver.setOptionValue("solver", method)
        solver.run()
        if solver.getModelStatus() == highspy.HighsModelStatus.kOptimal:
            return
        solver.clearSolver()
    raise RuntimeError(f"no optimum: {solver.getModelStatus()}")


def _tangent(solver, pair, direction, cap):
    index = np.array(pair, dtype=np.int32)
    solver.addRow(-highspy.kHighsInf, cap, 2, index, np.array([np.cos(direction), np.sin(direction)]))
