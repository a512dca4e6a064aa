// SPDX-License-Identifier: Apache-2.0
// What the subcommands that train share.
#pragma once

#include <optional>
#include <relulift/io.hpp>
#include <relulift/result.hpp>
#include <span>
#include <string>

namespace relulift::tools {

// --test: only scored, never used to choose anything. `targets`: of the training data.
std::optional<Dataset> read_test(const std::string& table, const std::string& targets_file,
                                 Targets targets, const Schema& schema);

// The model of a result on `data`, with what is claimed about it; `prepared`: prepare() of its X.
// Says on standard error what it cannot state exactly.
Model trained_model(const Result& result, const Preparation& preparation, const Dataset& data,
                    std::span<const double> prepared, double weight_decay);

}  // namespace relulift::tools
