"""The schedulers of ACN-Sim that run beside ours."""

import acnportal.algorithms.sorted_algorithms as sorted_algorithms
import numpy as np
from acnportal.algorithms import (
    RoundRobin,
    SortedSchedulingAlgo,
    UncontrolledCharging,
    earliest_deadline_first,
    first_come_first_served,
    least_laxity_first,
)


def theirs():
    return {
        "uncontrolled": UncontrolledCharging(),
        "first come": SortedSchedulingAlgo(first_come_first_served),
        "round robin": RoundRobin(first_come_first_served),
        "earliest deadline": SortedSchedulingAlgo(earliest_deadline_first),
        "least laxity": SortedSchedulingAlgo(least_laxity_first),
    }


def check_at_once():
    """Has them check all limits as one product of matrices instead of one after the other, which takes minutes off
    each and decides the same."""
    one_by_one = sorted_algorithms.infrastructure_constraints_feasible
    made = {}

    def feasible(rates, infrastructure, linear=False, violation_tolerance=1e-5, relative_tolerance=1e-7):
        if linear or rates.ndim != 1:
            return one_by_one(rates, infrastructure, linear, violation_tolerance, relative_tolerance)
        if made.get("of") is not infrastructure:
            turned = infrastructure.constraint_matrix.astype(float) * np.exp(1j * np.deg2rad(infrastructure.phases))[None, :]
            limits = infrastructure.constraint_limits
            most = (limits + np.maximum(violation_tolerance, relative_tolerance * limits)) ** 2
            made.update(of=infrastructure, parts=np.vstack([turned.real, turned.imag]), most=most)
        # Their arrays are of objects at some sites.
        real, imaginary = np.split(made["parts"] @ rates.astype(complex).real, 2)
        return bool((real**2 + imaginary**2 <= made["most"]).all())

    sorted_algorithms.infrastructure_constraints_feasible = feasible
