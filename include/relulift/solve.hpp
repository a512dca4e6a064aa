// SPDX-License-Identifier: Apache-2.0
// The library's main entry points.
#pragma once

#include <relulift/result.hpp>

namespace relulift {

// Trains a two-layer ReLU network on `problem` and proves how far it is from the best one of any
// width; or solves the program over patterns that options.method names. Throws InvalidInput (bad
// field, or an explicit engine that does not fit in memory, with the sizes), DeviceUnavailable,
// DeviceError. Limits and interruption are Status values.
Result solve(const Problem& problem, const Options& options = {});

// The same bound for a network trained elsewhere; the network is polished only to tighten the
// bound and is returned unchanged, with its own objective. Throws also InvalidInput for a network
// whose sizes are not those of the problem or of its weights, and for weights that are not finite.
Result certify(const Problem& problem, const Network& network, const Options& options = {});

}  // namespace relulift
