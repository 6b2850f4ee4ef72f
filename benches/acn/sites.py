"""The networks of acnportal, and the same as sites of ours."""

import math

import numpy as np
from acnportal.acnsim.network.sites.caltech_acn import caltech_acn
from acnportal.acnsim.network.sites.jpl_acn import jpl_acn

# Volts between two phases at the EVSEs. acnportal's transformers pass on a quarter of the current of a phase, so
# the primary side has four times the volts from phase to neutral.
LINE_VOLTS = 208.0
SECONDARY_VOLTS = LINE_VOLTS
PRIMARY_VOLTS = 4.0 * LINE_VOLTS / math.sqrt(3.0)
# JPL has two transformers; a cap is shared between them as their own ratings are.
JPL_FIRST, JPL_UPPER = 45.0, 150.0


def network(site, cap_kw):
    """acnportal's network with ideal EVSEs under that cap."""
    if site == "caltech":
        return caltech_acn(basic_evse=True, voltage=LINE_VOLTS, transformer_cap=cap_kw)
    part = cap_kw / (JPL_FIRST + JPL_UPPER)
    return jpl_acn(
        basic_evse=True,
        voltage=LINE_VOLTS,
        first_transformer_cap=JPL_FIRST * part,
        third_fourth_transformer_cap=JPL_UPPER * part,
    )


def _node(name, parent, amps=None, transformer=False):
    lines = ["[[node]]", f'id = "{name}"']
    if parent:
        lines.append(f'parent = "{parent}"')
    if amps is not None:
        lines.append(f"amps = {float(amps)!r}")
    if transformer:
        lines.append(
            f'transformer = {{ windings = "delta-wye", primary_volts = {PRIMARY_VOLTS!r},'
            f" secondary_volts = {SECONDARY_VOLTS!r} }}"
        )
    return "\n".join(lines) + "\n"


def _station(name, parent, angle):
    # Between A and B at 30 degrees, B and C at -90, C and A at 150.
    rotation = {30: "RST", -90: "STR", 150: "TRS"}[int(angle)]
    return (
        f'[[station]]\nid = "{name}"\nparent = "{parent}"\nrotation = "{rotation}"\n'
        f'connector = [{{ number = 1, amps = 32.0, wiring = "L1-L2", min_amps = 0.0 }}]\n'
    )


def toml(site, cap_kw):
    """The same network as a site of ours. Ideal EVSEs take any current, so the least is 0 A here."""
    acn = network(site, cap_kw)
    limit = dict(zip(acn.constraint_index, acn.magnitudes))
    text = f'id = "{site}"\ntime_zone = "America/Los_Angeles"\nvolts = {PRIMARY_VOLTS / math.sqrt(3.0)!r}\n'
    angle = dict(zip(acn.station_ids, acn._phase_angles))
    rows = acn.constraints_as_df()
    if site == "caltech":
        text += _node("primary", None, limit["Primary A"])
        text += _node("secondary", "primary", limit["Secondary A"], transformer=True)
        parents = {name: "secondary" for name in acn.station_ids}
        for row, node in (("CC Pod", "cc-pod"), ("AV Pod", "av-pod")):
            text += _node(node, "secondary", limit[row])
            parents.update({name: node for name in acn.station_ids if rows.loc[row, name]})
    else:
        text += _node("grid", None)
        parents = {}
        for name, node in (("First Floor Transformer", "t1"), ("Third/Fourth Floor Transformer", "t34")):
            text += _node(f"{node}-primary", "grid", limit[f"{name} Primary A"])
            text += _node(f"{node}-secondary", f"{node}-primary", limit[f"{name} Secondary A"], transformer=True)
            for station in acn.station_ids:
                if any(rows.loc[f"{name} Secondary {phase.upper()}", station] for phase in "abc"):
                    parents[station] = f"{node}-secondary"
        panels = (
            ("First Floor SP1", "sp1", "t1-secondary"),
            ("First Floor SP2", "sp2", "t1-secondary"),
            ("Third Floor Panel", "floor-3", "t34-secondary"),
            ("Fourth Floor Panel", "floor-4", "t34-secondary"),
        )
        for name, node, parent in panels:
            text += _node(node, parent, limit[f"{name} I_a"])
            for station in acn.station_ids:
                if any(rows.loc[f"{name} I_{phase}", station] for phase in "abc"):
                    parents[station] = node
    for name in acn.station_ids:
        text += _station(name, parents[name], angle[name])
    return text


def same_rows(acn, ours):
    """Whether each constraint of acnportal is a row of ours, and the other way round, on random currents.

    `ours` is what `load schedule` answers to {"ask": "rows"}. Gives the largest difference of load/cap.
    """
    dice = np.random.default_rng(1)
    x = dice.uniform(0.0, 32.0, (len(acn.station_ids), 200))
    turned = x * np.exp(1j * np.deg2rad(acn._phase_angles))[:, None]
    theirs = np.abs(acn.constraint_matrix @ turned) / acn.magnitudes[:, None]
    place = {name: at for at, name in enumerate(acn.station_ids)}
    loads = []
    for row in ours:
        a = np.zeros(len(place), dtype=complex)
        for term in row["terms"]:
            a[place[term["station"]]] = complex(term["re"], term["im"])
        load = np.abs(a @ x) / row["cap"]
        # What one EVSE can draw at most binds nothing: the fuse of the station itself.
        if np.count_nonzero(a) > 1:
            loads.append(load)
    loads = np.array(loads)
    apart = np.abs(theirs[:, None, :] - loads[None, :, :]).max(axis=2)
    return max(apart.min(axis=1).max(), apart.min(axis=0).max())
