// SPDX-License-Identifier: Apache-2.0
// The parts of the verifier, each against something that shares no code with it.
#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "src/verify/cones.hpp"
#include "src/verify/files.hpp"
#include "src/verify/positive.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/generators.hpp"
#include "tests/support/matrices.hpp"

namespace relulift::test {
namespace {

using relulift::testing::make_parallel;
using relulift::testing::make_zero;
using relulift::testing::random_matrix;
using relulift::testing::random_problem;

// The examples of FIPS 180-4.
TEST(Sha256, GivesThePublishedValues) {
  EXPECT_EQ(verifier::sha256(""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(verifier::sha256("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(verifier::sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(verifier::sha256(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

std::vector<verifier::Entry> entries_of(const Matrix& A, double error = 0.0) {
  std::vector<verifier::Entry> entries;
  for (Index i = 0; i < A.rows(); ++i)
    for (Index j = 0; j <= i; ++j) entries.push_back({i, j, {A(i, j), error}});
  return entries;
}

// Gram matrices of small integers are exact, and singular where there are fewer rows than columns.
TEST(Positive, ProvesNothingThatIsNotPositiveSemidefinite) {
  Random random(1);
  for (const Index order : {2, 5, 40, 150}) {
    Matrix A(order / 2, order);
    for (double& a : A.reshaped()) a = std::round(3.0 * random.normal());
    const Matrix singular = A.transpose() * A;
    const double unit = 1e-7 * singular.diagonal().maxCoeff();
    const Matrix identity = Matrix::Identity(order, order);

    EXPECT_FALSE(verifier::proves_positive(order, entries_of(singular))) << order;
    EXPECT_FALSE(verifier::proves_positive(order, entries_of(singular - unit * identity)));
    EXPECT_TRUE(verifier::proves_positive(order, entries_of(singular + unit * identity))) << order;
    // Radii whose worst case is indefinite.
    EXPECT_FALSE(
        verifier::proves_positive(order, entries_of(singular + unit * identity, 2.0 * unit)));
  }
}

TEST(Positive, AnswersAloneInDoublePrecision) {
  const Index order = verifier::kMaxExtended + 50;
  Random random(2);
  Matrix A(order / 2, order);
  for (double& a : A.reshaped()) a = random.normal();
  Matrix M = A.transpose() * A;
  M.diagonal().array() += 1e-3;

  EXPECT_TRUE(verifier::proves_positive(order, entries_of(M)));
  M.diagonal().array() -= 2e-3;
  EXPECT_FALSE(verifier::proves_positive(order, entries_of(M)));
}

TEST(Positive, IgnoresUnevenScales) {
  Random random(3);
  const Matrix A = random_matrix(random, 12, 8);
  Matrix M = A.transpose() * A;
  for (Index i = 0; i < 8; ++i) {
    const double scale = std::pow(10.0, 20.0 * static_cast<double>(i) - 80.0);
    M.row(i) *= scale;
    M.col(i) *= scale;
  }
  EXPECT_TRUE(verifier::proves_positive(8, entries_of(M)));
}

TEST(Positive, BoundsSpectralNormsFromAbove) {
  Random random(4);
  for (const auto& [rows, columns] : {std::pair<Index, Index>{9, 4}, {4, 9}, {1, 6}, {6, 1}}) {
    const Matrix A = random_matrix(random, rows, columns);
    const std::vector<double> entries(A.data(), A.data() + A.size());
    const double norm = Eigen::JacobiSVD<Matrix>(A).singularValues()(0);
    const auto above = [&](double offered) {
      return static_cast<double>(verifier::spectral_norm_above(entries, rows, offered));
    };
    EXPECT_NEAR(above(norm * (1.0 + 1e-9)), norm, 2e-9 * norm);
    EXPECT_NEAR(above(norm * (1.0 - 1e-9)), A.norm(), 1e-12 * norm);  // refused
    EXPECT_NEAR(above(-1.0), A.norm(), 1e-12 * A.norm());
  }
}

// A cell that is said to lie below T has no direction above it, and a leaf of large T is settled.
TEST(Cones, ACellThatIsSettledHasNoLargerValue) {
  Random random(5);
  const Problem p = random_problem(random, 9, 3, 2, 1.0);
  const verifier::ConeRows rows(p, p.Y);
  const Matrix axes = Eigen::SelfAdjointEigenSolver<Matrix>(
                          Matrix(random_matrix(random, 3, 3)).selfadjointView<Eigen::Lower>())
                          .eigenvectors();
  const std::vector<double> columns(axes.data(), axes.data() + 9);
  const Eigen::Map<const Matrix> X(p.X.data(), 9, 3), G(p.Y.data(), 9, 2);
  int settled = 0;
  for (unsigned signs = 0; signs < 8; ++signs) {
    verifier::Cone cone(rows, columns, signs);
    std::vector<Vector> v;
    for (Index j = 0; j < 3; ++j) v.push_back((signs >> j & 1U ? -1.0 : 1.0) * axes.col(j));
    for (int depth = 0; depth < 12; ++depth) {
      double largest = 0.0;
      for (int s = 0; s < 400; ++s) {
        Vector u = Vector::Zero(3);
        for (const Vector& vertex : v) u += std::max(0.0, random.normal()) * vertex;
        if (u.norm() > 0.0)
          largest = std::max(largest, (G.transpose() * (X * u).cwiseMax(0.0)).norm() / u.norm());
      }
      for (const double factor : {0.999, 1.001, 1.3, 4.0}) {
        const bool proved = cone.proves(factor * largest);
        EXPECT_FALSE(proved && factor < 1.0) << "depth " << depth;
        settled += proved;
      }
      EXPECT_TRUE(cone.proves(100.0 * largest + 1.0));
      const Index j = depth % 3, k = (depth + 1) % 3;
      const double f = 0.25 + 0.5 * random.uniform();
      const verifier::Cone other = cone.split(std::min(j, k), std::max(j, k), f);
      const Vector w = (1.0 - f) * v[std::min(j, k)] + f * v[std::max(j, k)];
      if (random.uniform() < 0.5) {
        cone = other;
        v[std::max(j, k)] = w;
      } else {
        v[std::min(j, k)] = w;
      }
    }
  }
  EXPECT_GT(settled, 150);  // of 384; narrow cells are settled just above their largest value
}

TEST(Readers, ReadQuotedTablesAsTheProgramDoes) {
  const TemporaryFolder folder;
  const std::string text =
      "\xEF\xBB\xBF\"a,1\", b ,\"k\"\"x\"\r\n 1.5 ,+2e-400,\"no\"\r\n\"-3\",4,yes\r\n\r\n\n";
  const Dataset data = read_dataset(folder.write("t.csv", text), {.label_column = "k\"x"});
  const verifier::Table table = verifier::read_csv(
      text, {.features = {"a,1", "b"}, .label = "k\"x", .outputs = {"no", "yes"}});

  EXPECT_EQ(table.samples, data.samples);
  EXPECT_EQ(table.X, data.X);
  EXPECT_EQ(table.Y, data.Y);
  for (const char* bad : {"a,b\n1\n", "a,b\n1,x\n", "a,b\n", "", "a,b\n\"1,2\n", "a,c\n1,2\n",
                          "a,b\n1,\n", "a,b\n1,1e999\n"})
    EXPECT_THROW(verifier::read_csv(bad, {.features = {"a"}, .label = "", .outputs = {"b"}}),
                 InvalidInput)
        << bad;
}

// What the verifier proves is what the solver proved, on data with rows of every degenerate sort.
TEST(Verify, ProvesTheSolversBoundToAPartIn1e9) {
  for (const Engine engine : {Engine::interior, Engine::low_rank, Engine::dense, Engine::none})
    for (const Index d : {1, 2, 4, 8}) {
      Random random(static_cast<std::uint64_t>(d));
      Problem p = random_problem(random, 16, d, 2, 0.5);
      make_parallel(p, 4, 2, -0.5);
      make_parallel(p, 7, 2, 1.0 / 3.0);
      make_zero(p, 9);
      Options options{.engine = engine, .gap = 0.0, .split = 0, .max_iterations = 30};
      const Result plain = solve(p, options);
      options.keep_proof = true;
      const Result kept = solve(p, options);

      EXPECT_EQ(plain.proof.kind, "none");
      const double bound = plain.certificate.lower_bound;
      EXPECT_NEAR(kept.certificate.lower_bound, bound, 1e-9 * bound) << d << kept.proof.kind;
      EXPECT_LE(kept.certificate.lower_bound, kept.objective);
      EXPECT_EQ(verify(p, kept.proof, kept.objective * (1.0 + 1e-12)).lower_bound,
                kept.certificate.lower_bound);
    }
}

TEST(Verify, ProvesWhatNeedsNoSolver) {
  const auto proved = [](std::vector<double> X, std::vector<double> Y, double g) {
    const auto samples = static_cast<Index>(Y.size());
    const Problem p{.samples = samples,
                    .features = 1,
                    .outputs = 1,
                    .X = std::move(X),
                    .Y = std::move(Y),
                    .weight_decay = g};
    const Result result = solve(p, {.keep_proof = true});
    EXPECT_NE(result.proof.kind, "none");
    return result.certificate.lower_bound;
  };
  EXPECT_NEAR(proved({0, 0}, {3, 4}, 1.0), 12.5, 1e-13);  // nothing can be learned
  EXPECT_EQ(proved({1, 2}, {0, 0}, 1.0), 0.0);            // nothing is to be learned
  EXPECT_NEAR(proved({1}, {3}, 0.5), 1.375, 1e-8);        // g y - g^2/2
}

// [eq:proved] pays (sigma - 1) P*: an objective that is none bounds nothing.
TEST(Verify, AnObjectiveThatIsNoneIsWorthNothing) {
  const Problem p{
      .samples = 2, .features = 1, .outputs = 1, .X = {1, 2}, .Y = {3, 4}, .weight_decay = 0.1};
  Proof proof;
  proof.kind = "floor";
  proof.G = {-3, -4};
  proof.sigma = 1e3;

  EXPECT_EQ(verify(p, proof, std::nan("")).lower_bound, 0.0);
  EXPECT_EQ(verify(p, proof, -1.0).lower_bound, 0.0);
}

class Forged : public ::testing::Test {
 protected:
  Forged() {
    folder_.write("t.csv", "x1,x2,y\n0.001,1,1\n0.001,2,2\n0.001,3,3\n0.001,5,4\n");
    base_ = certify_table(folder_, "t", {.value_columns = {"y"}}, 0.1, {.gap = 0.0});
  }
  Verdict verdict(const Certified& c, const fs::path& model = {}) {
    return verify_certificate(folder_.write("c", sealed(c.content)), base_.data, model);
  }
  TemporaryFolder folder_;
  Certified base_;
};

TEST_F(Forged, AColumnNamedTwiceIsInvalid) {
  ASSERT_TRUE(verdict(base_).valid);
  for (const char* names : {"[\"x1\",\"x1\"]", "[\"x1\",\"y\"]"}) {
    Certified c = base_;
    c.content.metadata["features"] = names;
    EXPECT_NE(verdict(c).reason.find("names a column twice"), std::string::npos) << names;
  }
}

TEST_F(Forged, TextThatNestsDeeplyIsInvalid) {
  Certified c = base_;
  c.content.metadata["standardization"] = std::string(400'000, '[') + ']';

  EXPECT_FALSE(verdict(c).valid);
}

// The network of the file predicts what its bias adds, be it small beside the constants.
TEST_F(Forged, ABiasBelowTheRoundingOfTheConstantsCounts) {
  folder_.write("far.csv", "x,y\n1000001,1\n1000002,2\n1000003,3\n");
  const Certified far =
      certify_table(folder_, "far", {.value_columns = {"y"}}, 0.1, {.gap = 0.0}, Standardize::yes);
  ASSERT_TRUE(verify_certificate(far.certificate, far.data, far.model).valid);
  Model model = read_model(far.model);
  ASSERT_FALSE(model.hidden_bias.empty());
  model.hidden_bias[0] += 5e-6 * std::abs(model.hidden_bias[0]);
  const std::string bytes = model_bytes(model);
  Certified c = far;
  c.content.metadata["model_sha256"] = verifier::sha256(bytes);

  const Verdict found = verify_certificate(folder_.write("c", sealed(c.content)), far.data,
                                           folder_.write("m", bytes));

  EXPECT_FALSE(found.valid);
}

}  // namespace
}  // namespace relulift::test
