// SPDX-License-Identifier: Apache-2.0
// What the neurons of a program see, for result.json and path.json.
#pragma once

#include <nlohmann/json.hpp>
#include <relulift/program.hpp>

namespace relulift {

// Null without pooling.
inline nlohmann::ordered_json pooling_json(const ProgramOptions& program) {
  if (program.pooling == Pooling::none) return {};
  return {{"kind", to_string(program.pooling)},
          {"image", {program.image_height, program.image_width, program.image_planes}},
          {"patch", program.patch},
          {"stride", program.stride}};
}

}  // namespace relulift
