// SPDX-License-Identifier: Apache-2.0
#include "src/tools/training.hpp"

#include <fmt/format.h>

#include <iostream>
#include <relulift/error.hpp>
#include <utility>

namespace relulift::tools {

std::optional<Dataset> read_test(const std::string& table, const std::string& targets_file,
                                 Targets targets, const Schema& schema) {
  if (table.empty()) {
    if (!targets_file.empty()) throw InvalidInput("--test-targets-file goes with --test");
    return std::nullopt;
  }
  if (!targets.file.empty()) {
    if (targets_file.empty())
      throw InvalidInput(table + ": the test table needs --test-targets-file too");
    targets.file = targets_file;
  }
  return read_dataset(table, targets, schema);
}

Model trained_model(const Result& result, const Preparation& preparation, const Dataset& data,
                    std::span<const double> prepared, double weight_decay) {
  Model model = make_model(result.network, preparation, data, prepared);
  if (model.unclear_gates > 0)
    std::cerr << fmt::format(
        "relulift: {} of {} gates have rows on both sides that lie on them but for rounding; the "
        "model may treat those rows otherwise than the objective says\n",
        model.unclear_gates, model.network.neurons);
  model.filters = result.filters;
  model.weight_decay = weight_decay;
  model.objective = result.objective;
  if (result.certificate.claim == Claim::every_network)
    model.lower_bound = result.certificate.lower_bound;
  return model;
}

}  // namespace relulift::tools
