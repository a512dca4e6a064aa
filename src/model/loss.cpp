// SPDX-License-Identifier: Apache-2.0
#include "src/model/loss.hpp"

#include <cmath>
#include <relulift/error.hpp>
#include <string>

namespace relulift {
namespace {

void require(bool holds, const std::string& message) {
  if (!holds) throw InvalidInput(message);
}

bool one_hot(std::span<const double> Y, Index samples, Index outputs, Index row) {
  Index ones = 0;
  for (Index k = 0; k < outputs; ++k) {
    const double y = Y[static_cast<std::size_t>(row + k * samples)];
    if (y != 0.0 && y != 1.0) return false;
    ones += y == 1.0 ? 1 : 0;
  }
  return ones == 1;
}

bool finite(std::span<const double> Y, Index samples, Index outputs, Index row) {
  for (Index k = 0; k < outputs; ++k) {
    if (!std::isfinite(Y[static_cast<std::size_t>(row + k * samples)])) return false;
  }
  return true;
}

}  // namespace

const char* to_string(Loss loss) {
  switch (loss) {
    case Loss::squared:
      return "squared";
    case Loss::logistic:
      return "logistic";
    case Loss::hinge:
      return "hinge";
    case Loss::huber:
      return "huber";
    case Loss::absolute:
      break;
  }
  return "absolute";
}

void validate_targets(Loss loss, std::span<const double> Y, Index samples, Index outputs) {
  require(samples >= 1 && outputs >= 1, "samples and outputs must be at least 1");
  require(Y.size() / static_cast<std::size_t>(outputs) == static_cast<std::size_t>(samples) &&
              Y.size() % static_cast<std::size_t>(outputs) == 0,
          "Y holds " + std::to_string(Y.size()) + " entries, expected " + std::to_string(samples) +
              " x " + std::to_string(outputs));
  const bool classes = loss == Loss::logistic || loss == Loss::hinge;
  for (Index i = 0; i < samples; ++i) {
    const std::string where = "Y, row " + std::to_string(i) + " (counted from 0): ";
    if (!classes) {
      require(finite(Y, samples, outputs, i), where + "not a finite number");
    } else if (outputs == 1) {
      require(std::abs(Y[static_cast<std::size_t>(i)]) == 1.0,
              where + "the " + to_string(loss) + " loss of one output takes labels -1 and 1, not " +
                  std::to_string(Y[static_cast<std::size_t>(i)]));
    } else {
      require(one_hot(Y, samples, outputs, i),
              where + "the " + to_string(loss) +
                  " loss of several outputs takes rows with one 1 and else 0");
    }
  }
}

double loss_value(Loss loss, std::span<const double> f, std::span<const double> Y, Index samples,
                  Index outputs, double huber_delta) {
  validate_targets(loss, Y, samples, outputs);
  require(f.size() == Y.size(), "the prediction holds " + std::to_string(f.size()) +
                                    " entries, the targets " + std::to_string(Y.size()));
  require(std::isfinite(huber_delta) && huber_delta > 0.0,
          "huber_delta must be finite and positive");
  return with_row_loss<double>(loss, outputs, huber_delta, [&](const auto& row_loss) {
    const MatrixView<const double> F{f.data(), samples, outputs, samples};
    const MatrixView<const double> T{Y.data(), samples, outputs, samples};
    long double sum = 0.0L;
    for (Index i = 0; i < samples; ++i)
      sum += row_loss.value(kernels::row(F, i), kernels::row(T, i), outputs);
    return static_cast<double>(sum);
  });
}

}  // namespace relulift
