# SPDX-License-Identifier: MIT
"""The comparison of figures, without a machine."""

import bench


def test_a_row_that_costs_more_on_a_larger_machine_is_named():
    small = {"flat": (100.0, "instructions"), "steep": (100.0, "instructions"), "alone": (1.0, "bytes")}
    large = {"flat": (102.0, "instructions"), "steep": (104.0, "instructions")}
    found = bench.growth(small, large)
    assert found["flat"] is None
    assert found["steep"] == "104, and 100 on the smaller machine"
    assert "alone" not in found


def test_a_call_that_costs_more_with_more_ports_is_named():
    rows = {"grow_loop": (9.0, "instructions"), "grow_flat_1": (100.0, "instructions"),
            "grow_flat_10": (102.0, "instructions"), "grow_steep_1": (100.0, "instructions"),
            "grow_steep_10": (101.0, "instructions"), "grow_steep_100": (104.0, "instructions"),
            "grow_alone_1": (1.0, "instructions")}
    found = bench.steep(rows)
    assert found == {"grow_flat": None, "grow_steep": "104 with 100, 100 with 1",
                     "grow_alone": "measured with one number of them only"}
