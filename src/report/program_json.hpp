// SPDX-License-Identifier: Apache-2.0
// Words about a program, for result.json and path.json.
#pragma once

#include <nlohmann/json.hpp>
#include <relulift/report.hpp>

namespace relulift {

// Whose norms are summed.
inline const char* groups_json(const RunFacts& facts) {
  return facts.method == Method::circular ? "frequency" : to_string(facts.program.group);
}

// Null without pooling.
inline nlohmann::ordered_json pooling_json(const ProgramOptions& program) {
  if (program.pooling == Pooling::none) return {};
  return {{"kind", to_string(program.pooling)},
          {"image", {program.image_height, program.image_width, program.image_planes}},
          {"patch", program.patch},
          {"stride", program.stride}};
}

}  // namespace relulift
