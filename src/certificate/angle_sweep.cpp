// SPDX-License-Identifier: Apache-2.0
#include "src/certificate/angle_sweep.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace relulift {
namespace {

struct Event {
  double angle;  // in (-pi, pi]
  Index sample;
  double enters;  // +1: x_i'u turns positive as the angle grows; -1: it turns negative
};

std::vector<Event> sorted_events(const ConeData& data) {
  std::vector<Event> events;
  for (Index i = 0; i < data.n(); ++i) {
    const double x = data.X(i, 0), y = data.X(i, 1);
    events.push_back({std::atan2(-x, y), i, 1.0});  // u = (y, -x): the angle of x minus pi/2
    events.push_back({std::atan2(x, -y), i, -1.0});
  }
  std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
    return a.angle != b.angle ? a.angle < b.angle : a.sample < b.sample;
  });
  return events;
}

Vector at(double angle) {
  Vector u(2);
  u << std::cos(angle), std::sin(angle);
  return u;
}

// The largest ||Mu|| over the arc [from, to], to - from <= pi.
ConeDirection best_on_arc(const Matrix& M, double from, double to) {
  const double a = M.col(0).squaredNorm(), b = M.col(0).dot(M.col(1)), c = M.col(1).squaredNorm();
  // ||Mu||^2 = (a + c)/2 + ||((a - c)/2, b)|| cos 2(angle - peak), peak modulo pi.
  double peak = 0.5 * std::atan2(2.0 * b, a - c);
  peak += std::numbers::pi * std::ceil((from - peak) / std::numbers::pi);
  if (peak <= to) {
    const Vector u = at(peak);
    return {std::sqrt((a + c) / 2.0 + std::hypot((a - c) / 2.0, b)), u};
  }
  const Vector left = at(from), right = at(to);
  const double l = (M * left).norm(), r = (M * right).norm();
  return l >= r ? ConeDirection{l, left} : ConeDirection{r, right};
}

}  // namespace

double angle_sweep(const ConeData& data, double threshold, std::vector<ConeDirection>& found) {
  const std::vector<Event> events = sorted_events(data);
  const std::size_t count = events.size();
  // M on the arc that ends at events[0]: the samples that leave before they enter. (Signs at its
  // middle would contradict the order of events where the arc is as short as rounding.)
  const double last = events.back().angle - 2.0 * std::numbers::pi;
  Matrix M = Matrix::Zero(data.c(), 2);
  std::vector<bool> entered(data.n(), false);
  for (const Event& e : events) {
    if (e.enters > 0.0)
      entered[e.sample] = true;
    else if (!entered[e.sample])
      M += data.E.row(e.sample).transpose() * data.X.row(e.sample);
  }

  std::vector<ConeDirection> arcs;
  arcs.push_back(best_on_arc(M, last, events.front().angle));
  for (std::size_t k = 0; k + 1 < count; ++k) {
    const Event& e = events[k];
    M += e.enters * (data.E.row(e.sample).transpose() * data.X.row(e.sample));
    arcs.push_back(best_on_arc(M, e.angle, events[k + 1].angle));
  }
  double largest = 0.0;
  for (std::size_t k = 0; k < count; ++k) {
    const double value = arcs[k].value;
    largest = std::max(largest, value);
    const bool peak =
        value >= arcs[(k + 1) % count].value && value >= arcs[(k + count - 1) % count].value;
    if (peak && value > threshold) found.push_back(arcs[k]);
  }
  found.push_back(*std::max_element(
      arcs.begin(), arcs.end(), [](const auto& a, const auto& b) { return a.value < b.value; }));
  // 3n rank-one updates, each within rounding of its exact angle; relative error of the norm.
  const double unit = std::numeric_limits<double>::epsilon();
  const double updates = 4.0 * unit * static_cast<double>(3 * data.n() + 16);
  return largest * (1.0 + 2.0 * data.rounding + 32.0 * unit) +
         (data.rounding + updates) * data.mass;
}

}  // namespace relulift
