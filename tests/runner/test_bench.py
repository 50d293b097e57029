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
