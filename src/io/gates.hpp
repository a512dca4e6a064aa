// SPDX-License-Identifier: Apache-2.0
// Gates of a folded model against the rows that it was trained on.
#pragma once

#include <relulift/io.hpp>
#include <vector>

namespace relulift::io {

// Moves the gate biases of `model` so that every row of `data` is clearly on the side that `active`
// (row r and neuron j at r + j samples) has it on [eq:gate-shift]; a gate that all rows are clear
// of stays. Returns how many gates have no such bias; those stay too.
Index clear_gates(Model& model, const std::vector<bool>& active, const Dataset& data);

}  // namespace relulift::io
