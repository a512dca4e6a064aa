// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <relulift/report.hpp>

namespace relulift {

Index argmax_row(std::span<const double> scores, Index samples, Index outputs, Index i) {
  Index best = 0;
  for (Index k = 1; k < outputs; ++k)
    if (scores[static_cast<std::size_t>(i + k * samples)] >
        scores[static_cast<std::size_t>(i + best * samples)])
      best = k;
  return best;
}

Scores score(const Dataset& data, std::span<const double> predictions) {
  Scores scores;
  double squares = 0.0;
  for (std::size_t k = 0; k < predictions.size(); ++k)
    squares += (predictions[k] - data.Y[k]) * (predictions[k] - data.Y[k]);
  scores.loss = 0.5 * squares;
  if (data.schema.kind == TargetKind::values)
    scores.rmse = std::sqrt(squares / static_cast<double>(predictions.size()));
  if (data.is_classification()) {
    Index right = 0;
    for (Index i = 0; i < data.samples; ++i)
      right += argmax_row(predictions, data.samples, data.outputs, i) ==
               argmax_row(data.Y, data.samples, data.outputs, i);
    scores.accuracy = static_cast<double>(right) / static_cast<double>(data.samples);
  }
  return scores;
}

}  // namespace relulift
