// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/circular_convolution.hpp"

#include <Eigen/Householder>
#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <complex>
#include <unsupported/Eigen/FFT>

namespace relulift {
namespace {

using Spectrum = std::vector<std::complex<double>>;

// A real signal and frequencies 0..d/2 of its transform, unnormalised forwards, 1/d backwards. The
// library has no plan for length 1.
class RealFft {
 public:
  explicit RealFft(Index d) : signal_(static_cast<std::size_t>(d)) {
    fft_.SetFlag(Eigen::FFT<double>::HalfSpectrum);
  }
  template <class Row>
  const Spectrum& forward(const Row& x) {
    for (std::size_t t = 0; t < signal_.size(); ++t) signal_[t] = x[static_cast<Index>(t)];
    if (signal_.size() == 1)
      spectrum_ = {signal_[0]};
    else
      fft_.fwd(spectrum_, signal_);
    return spectrum_;
  }
  const std::vector<double>& backward(const Spectrum& spectrum) {
    if (signal_.size() == 1)
      signal_[0] = spectrum[0].real();
    else
      fft_.inv(signal_, spectrum, static_cast<int>(signal_.size()));
    return signal_;
  }

 private:
  Eigen::FFT<double> fft_;
  std::vector<double> signal_;
  Spectrum spectrum_;
};

bool real_frequency(Index k, Index d) { return k == 0 || 2 * k == d; }

// Length of a coordinate of unit size in the plain transform: it counts once or, with its mirror
// frequency, twice.
double transform_size(Index k, Index d) {
  const auto length = static_cast<double>(d);
  return std::sqrt(real_frequency(k, d) ? length : length / 2.0);
}

// The plain transform of column o of the signals with these coordinates.
Spectrum spectrum_of(const Matrix& Z, Index o, Index d) {
  const Index K = frequencies(d);
  Spectrum out(static_cast<std::size_t>(K));
  for (Index k = 0; k < K; ++k) {
    const double size = transform_size(k, d);
    out[static_cast<std::size_t>(k)] = {size * Z(k, o),
                                        real_frequency(k, d) ? 0.0 : -size * Z(K + k, o)};
  }
  return out;
}

// ||Z_k|| over its two coordinates and all outputs.
Vector frequency_norms(const Matrix& Z) {
  const Index K = Z.rows() / 2;
  return (Z.topRows(K).rowwise().squaredNorm() + Z.bottomRows(K).rowwise().squaredNorm())
      .cwiseSqrt();
}

}  // namespace

Matrix fourier_rows(const Matrix& X) {
  const Index d = X.cols(), K = frequencies(d);
  RealFft fft(d);
  Matrix out = Matrix::Zero(X.rows(), 2 * K);
  for (Index i = 0; i < X.rows(); ++i) {
    const Spectrum& spectrum = fft.forward(X.row(i));
    for (Index k = 0; k < K; ++k) {
      const auto entry = spectrum[static_cast<std::size_t>(k)] / transform_size(k, d);
      out(i, k) = entry.real();
      if (!real_frequency(k, d)) out(i, K + k) = -entry.imag();
    }
  }
  return out;
}

Matrix from_fourier(const Matrix& Z, Index d) {
  RealFft fft(d);
  Matrix out(d, Z.cols());
  for (Index o = 0; o < Z.cols(); ++o)
    out.col(o) = Eigen::Map<const Vector>(fft.backward(spectrum_of(Z, o, d)).data(), d);
  return out;
}

Vector frequency_prices(Index d, double g) {
  Vector prices(frequencies(d));
  for (Index k = 0; k < prices.size(); ++k) prices[k] = g / transform_size(k, d);
  return prices;
}

// [eq:circular-filter] in coordinates: the filter's spectrum is real, and its size ||v_k||^(1/2).
CircularNetwork circular_network(const Matrix& Z, Index d) {
  const Index K = frequencies(d), c = Z.cols();
  CircularNetwork network{.features = d, .outputs = c, .filters = 0, .U = {}, .W = {}};
  const Vector norms = frequency_norms(Z);
  if (!(norms.maxCoeff() > 0.0)) return network;
  Matrix filter = Matrix::Zero(2 * K, 1), weights = Matrix::Zero(2 * K, c);
  for (Index k = 0; k < K; ++k) {
    if (!(norms[k] > 0.0)) continue;
    const double root = std::sqrt(norms[k] * transform_size(k, d));
    filter(k, 0) = root / transform_size(k, d);
    weights.row(k) = Z.row(k) / root;
    weights.row(K + k) = Z.row(K + k) / root;
  }
  const Matrix U = from_fourier(filter, d), W = from_fourier(weights, d);
  network.filters = 1;
  network.U.assign(U.data(), U.data() + U.size());
  network.W.assign(W.data(), W.data() + W.size());
  return network;
}

double circular_bound(const Matrix& X, const Matrix& Y, double g, const Matrix& E) {
  const double along = E.cwiseProduct(Y).sum(), square = E.squaredNorm();
  if (!(along > 0.0 && square > 0.0)) return 0.0;
  const Matrix pull = X.transpose() * E;  // d x c
  const Vector norms = frequency_norms(fourier_rows(pull.transpose()).transpose());
  const double worst = norms.cwiseQuotient(frequency_prices(X.cols(), g)).maxCoeff();
  const double t = worst * along > square ? 1.0 / worst : along / square;
  return t * (along - 0.5 * t * square);
}

RotatedRows::RotatedRows(const Matrix& X, const Matrix& Y) : X_(X), Y_(Y) {
  const Index n = X.rows(), d = X.cols();
  if (n <= d) return;
  const Eigen::HouseholderQR<Matrix> qr(X);
  reflectors_ = qr.matrixQR();
  coefficients_ = qr.hCoeffs();
  const Matrix rotated = qr.householderQ().adjoint() * Y;
  X_ = reflectors_.topRows(d).triangularView<Eigen::Upper>();
  Y_ = rotated.topRows(d);
  beyond_ = rotated.bottomRows(n - d);
}

Matrix RotatedRows::restored(const Matrix& E) const {
  if (reflectors_.size() == 0) return E;
  Matrix whole(reflectors_.rows(), E.cols());
  whole << E, beyond_;
  whole.applyOnTheLeft(Eigen::householderSequence(reflectors_, coefficients_));
  return whole;
}

}  // namespace relulift
