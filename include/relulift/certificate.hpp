// SPDX-License-Identifier: Apache-2.0
// Certificate files: a proof with the problem it is about, claims and hashes, to be checked again
// by anybody who has the files. docs/formats.md has their content.
#pragma once

#include <relulift/io.hpp>
#include <relulift/result.hpp>
#include <string>
#include <string_view>

namespace relulift {

// certificate.safetensors for a result with a proof (Options::keep_proof) on the table `data`, read
// and prepared as stated. `model` is the model file. Empty where there is no proof, or where the
// verifier does not read this table (it reads CSV alone).
std::string certificate_bytes(const Result& result, const Problem& problem, const Schema& schema,
                              const Preparation& preparation, const Path& data,
                              std::string_view model);

struct Verdict {
  bool valid = false;
  std::string reason;  // why not, one clause
  // What the certificate states and claims, as far as it could be read; NaN where not.
  std::string kind;
  std::vector<std::string> targets;  // columns
  Index samples = 0, outputs = 0;
  std::vector<std::string> features;  // columns of the table
  bool bias = false, standardized = false;
  double weight_decay = std::numeric_limits<double>::quiet_NaN();
  double lower_bound = std::numeric_limits<double>::quiet_NaN();
  double objective = std::numeric_limits<double>::quiet_NaN();
  double relative_gap = std::numeric_limits<double>::quiet_NaN();
  // What was proved anew; -infinity where nothing was.
  double proved = -std::numeric_limits<double>::infinity();
  bool model_checked = false;  // objective and relative_gap too: a model was given
};

// Checks a certificate from nothing but the files, by code of its own. `model` empty: without it.
// Throws FileError when a file cannot be read; whatever a file holds, it is a verdict.
Verdict verify_certificate(const Path& certificate, const Path& data, const Path& model = {});

}  // namespace relulift
