// SPDX-License-Identifier: Apache-2.0
// Certificates of every kind, damaged in hundreds of ways: with a wrong hash they are all refused;
// sealed again, whenever what they hold does not prove what they claim.
#include <relulift/io.hpp>

#include "src/verify/statement.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/generators.hpp"

namespace relulift::test {
namespace {

const Targets kValues{.label_column = {}, .value_columns = {"y0", "y1"}, .file = {}};

class Mutations : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const std::string name = GetParam();
    Random random(11);
    const bool plane = name == "plane", space = name == "space";
    const Index d = plane ? 2 : space ? 3 : 7;
    Problem p = relulift::testing::random_problem(random, 14, d, 2, 0.3);
    if (name != "space") {
      relulift::testing::make_parallel(p, 3, 1, 2.0);
      relulift::testing::make_parallel(p, 9, 2, -0.7);  // up to rounding
      relulift::testing::make_zero(p, 5);
    }
    write_table(folder_ / (name + ".csv"), p);
    Options options{.gap = 0.0, .split = 0, .max_iterations = 60};
    if (plane || space || name == "floor") options.engine = Engine::none;
    if (name == "repaired") options.engine = Engine::dense;
    if (name == "multipliers" || name == "prepared") options.engine = Engine::interior;
    if (name == "split") options = {.engine = Engine::interior, .gap = 0.0, .split = 6};
    const bool prepared = name == "prepared";
    base_ = certify_table(folder_, name, kValues, 0.3, options,
                          prepared ? Standardize::yes : Standardize::no,
                          prepared ? Bias::yes : Bias::no);
    ASSERT_EQ(base_.result.proof.kind, plane || space    ? "cones"
                                       : name == "floor" ? "floor"
                                       : name == "split" ? "split"
                                                         : "cholesky");
    if (name == "repaired") pay_for_penalty();
  }

  // More is allowed for the penalty and paid for in the bound, as [eq:repair] may choose to.
  void pay_for_penalty() {
    base_.result.proof.sigma = 1.05;
    const double objective = base_.number("objective");
    double& bound = base_.result.certificate.lower_bound;
    bound = verify(base_.problem, base_.result.proof, objective).lower_bound;
    base_.set("sigma", 1.05);
    base_.set("lower_bound", bound);
    base_.set("relative_gap", std::nextafter((objective - bound) / objective, 2.0));
    folder_.write("repaired.certificate", sealed(base_.content));
  }

  // The gap follows the claim by the rule of the verifier.
  static void follow(Certified& c) {
    c.set("relative_gap", verifier::gap_above(c.number("objective"), c.number("lower_bound")));
  }

  Verdict verdict(const std::string& bytes) {
    return verify_certificate(folder_.write("mutated", bytes), base_.data, base_.model);
  }

  // A random number of some tensor or of the statement, moved by a random power of ten.
  Certified mutated(Random& random) {
    Certified c = base_;
    std::vector<std::string> names;
    for (const auto& [name, tensor] : c.content.tensors) names.push_back(name);
    const auto any = [&](std::size_t count) { return random.bits() % count; };
    const double size = std::pow(10.0, -13.0 * random.uniform());
    const double factor = 1.0 + (any(2) == 0 ? size : -size);
    const std::size_t where = any(names.size() + 3);
    if (where == names.size()) {
      c.set("sigma", c.number("sigma") * factor);
    } else if (where == names.size() + 1) {
      c.set("weight_decay", c.number("weight_decay") * factor);
    } else if (where == names.size() + 2) {
      c.set("lower_bound", c.number("lower_bound") * factor);
    } else {
      std::vector<double>& entries = c.tensor(names[where]);
      double& entry = entries[any(entries.size())];
      if (any(8) == 0)
        entry = -entry;
      else if (any(8) == 0)
        entry = std::round(3.0 * random.normal());
      else
        entry *= factor;
      // All multipliers of a residual together: the inequality is scaled, and the bound changes.
      if (names[where] == "G" && any(3) == 0)
        for (double& g : entries) g *= factor;
    }
    return c;
  }

  TemporaryFolder folder_;
  Certified base_;
};

TEST_P(Mutations, TheCertificateItselfIsValidWithinRoundingOfTheSolversBound) {
  const Verdict found = verdict(content_of(base_.certificate));

  EXPECT_TRUE(found.valid) << found.reason;
  EXPECT_TRUE(found.model_checked);
  EXPECT_EQ(found.lower_bound, base_.result.certificate.lower_bound);
  EXPECT_EQ(found.kind, base_.result.certificate.kind);
  EXPECT_NEAR(found.objective, base_.result.objective, 1e-12 * found.objective);
  EXPECT_GT(Oracle(base_).margin(base_), -1e-10);
}

TEST_P(Mutations, AFlippedBitIsInvalid) {
  const std::string bytes = content_of(base_.certificate);
  Random random(5);
  for (int k = 0; k < 300; ++k) {
    std::string flipped = bytes;
    const std::size_t bit =
        k < 64 ? static_cast<std::size_t>(k) : random.bits() % (8 * bytes.size());
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    EXPECT_FALSE(verdict(flipped).valid) << "bit " << bit;
  }
}

TEST_P(Mutations, WhatDoesNotFollowIsInvalid) {
  const Oracle oracle(base_);
  Random random(7);
  int refuted = 0, confirmed = 0;
  for (int k = 0; k < 150; ++k) {
    Certified c = mutated(random);
    follow(c);
    const double margin = oracle.margin(c);
    const Verdict found = verdict(sealed(c.content));
    if (margin < -1e-9) {
      EXPECT_FALSE(found.valid) << "mutation " << k << ", margin " << margin;
      ++refuted;
    }
    confirmed += found.valid;
    if (found.valid) {
      EXPECT_LE(found.lower_bound, found.proved);
    }
  }
  EXPECT_GE(refuted, 20);
  EXPECT_GE(confirmed, 5);
}

TEST_P(Mutations, ARaisedClaimIsInvalid) {
  for (const double rise : {1e-9, 1e-6, 1e-3, 1.0}) {
    Certified c = base_;
    c.set("lower_bound", c.number("lower_bound") * (1.0 + rise));
    follow(c);
    EXPECT_FALSE(verdict(sealed(c.content)).valid) << rise;
    for (const char* claim : {"objective", "relative_gap"})
      for (const double factor : {1.0 + rise, 1.0 - rise}) {
        c = base_;
        c.set(claim, c.number(claim) * factor);
        if (c.number(claim) == base_.number(claim)) continue;
        EXPECT_FALSE(verdict(sealed(c.content)).valid) << claim << " times " << factor;
      }
  }
}

TEST_P(Mutations, OtherFilesAreInvalid) {
  const std::string text = content_of(base_.data);
  const fs::path other = folder_.write("other.csv", text + "\n");
  EXPECT_EQ(verify_certificate(base_.certificate, other, base_.model).reason,
            "the data are not those of the certificate (SHA-256)");
  const fs::path network = folder_.write("other.model", content_of(base_.model) + " ");
  EXPECT_EQ(verify_certificate(base_.certificate, base_.data, network).reason,
            "the model is not that of the certificate (SHA-256)");

  // The hashes are those of other files, and the certificate is sealed: the proof decides.
  Certified c = base_;
  std::string swapped = text;
  const std::size_t at = swapped.rfind('\n', swapped.size() - 2) + 1;
  swapped.replace(at, swapped.find(',', at) - at, "17");
  c.content.metadata["data_sha256"] = verifier::sha256(swapped);
  const fs::path file = folder_.write("swapped.csv", swapped);
  const Verdict found = verify_certificate(folder_.write("c", sealed(c.content)), file, {});
  EXPECT_FALSE(found.valid);
  EXPECT_EQ(found.reason.find("SHA-256"), std::string::npos) << found.reason;
}

TEST_P(Mutations, TensorsThatAreMissingOrTooLongAreInvalid) {
  for (const auto& [name, tensor] : base_.content.tensors) {
    Certified c = base_;
    c.content.tensors.erase(name);
    if (name != "norms") {  // the Frobenius norms may do
      EXPECT_FALSE(verdict(sealed(c.content)).valid) << name;
    }
    c = base_;
    io::Tensor& longer = c.content.tensors[name];
    longer.shape = {static_cast<Index>(longer.entries.size()) + 1};
    longer.entries.push_back(1.0);
    if (name != "norms") {
      EXPECT_FALSE(verdict(sealed(c.content)).valid) << name;
    }
  }
  for (const auto& [key, text] : base_.content.metadata)
    if (key != "version") {
      Certified c = base_;
      c.content.metadata.erase(key);
      const std::string bytes =
          key == "sha256" ? io::safetensors_bytes(c.content) : sealed(c.content);
      EXPECT_FALSE(verdict(bytes).valid) << key;
      for (const char* nonsense : {"", "{", "null", "[]", "1e999", "-1", "\"a\""}) {
        c.content.metadata[key] = nonsense;
        if (text == nonsense) continue;
        if (key == "sha256" || key == "standardization") continue;
        EXPECT_FALSE(verdict(sealed(c.content)).valid) << key << " " << nonsense;
      }
    }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Mutations,
                         ::testing::Values("plane", "space", "floor", "multipliers", "repaired",
                                           "prepared", "split"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace relulift::test
