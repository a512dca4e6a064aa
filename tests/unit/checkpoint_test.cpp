// SPDX-License-Identifier: Apache-2.0
// Checkpoints: what is written comes back, what was tampered with is refused, and a solve goes on
// from one without trusting it.
#include "src/api/checkpoint.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <relulift/io.hpp>
#include <relulift/solve.hpp>

#include "src/api/checkpoint_writer.hpp"
#include "tests/support/files.hpp"
#include "tests/support/generators.hpp"

namespace relulift::test {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// n = 5, d = 3, c = 2, rank 3 and no parallel rows: presolve changes the scale alone.
Problem small_problem() {
  Random random(7);
  return testing::random_problem(random, 5, 3, 2, 0.5);
}

Matrix numbers(Index rows, Index cols, double first) {
  Matrix out(rows, cols);
  for (Index k = 0; k < out.size(); ++k) out(k) = first + 1.0 / (3.0 + static_cast<double>(k));
  return out;
}

// Every field with a value of its own, among them numbers that a decimal of few digits would lose.
Checkpoint full_checkpoint(const Problem& problem) {
  Random random(8);
  Checkpoint out;
  out.problem = hash_of(problem);
  out.seconds = 1234.0 + 1.0 / 3.0;
  out.trained = true;
  out.network = testing::random_network(random, 3, 2, 4);
  out.network.U[0] = -0.0;
  out.network.U[1] = 5e-324;
  out.winner = Winner::rounding;
  out.multipliers.G = numbers(5, 2, 0.1);
  out.multipliers.H = numbers(5, 2, -0.3);
  out.multipliers.dense = numbers(10, 10, 1e-7);
  out.multipliers.entries = {{0, 7, 0.1}, {2, 2, 1e-300}, {9, 4, -1.0 / 7.0}};
  out.low_rank.Z = numbers(2, 10, 2.0);
  out.low_rank.pairs = {{0, 1}, {0, 6}, {8, 9}};
  out.low_rank.w = numbers(3, 1, 0.0);
  out.low_rank.y = numbers(5, 1, -2.0);
  out.low_rank.sigma = 1.0 / 7.0;
  out.low_rank.tolerance = 1e-3 / 3.0;
  out.low_rank.violation = 0.1 + 1e-17;
  out.low_rank.iteration = 12345;
  return out;
}

void expect_bits(const Matrix& a, const Matrix& b) {
  ASSERT_EQ(a.rows(), b.rows());
  ASSERT_EQ(a.cols(), b.cols());
  for (Index k = 0; k < a.size(); ++k) EXPECT_EQ(std::memcmp(&a(k), &b(k), sizeof(double)), 0) << k;
}

void expect_bits(const std::vector<double>& a, const std::vector<double>& b) {
  ASSERT_EQ(a.size(), b.size());
  EXPECT_EQ(std::memcmp(a.data(), b.data(), a.size() * sizeof(double)), 0);
}

void expect_same(const LowRankState& a, const LowRankState& b) {
  expect_bits(a.Z, b.Z);
  EXPECT_EQ(a.pairs, b.pairs);
  expect_bits(a.w, b.w);
  expect_bits(a.y, b.y);
  EXPECT_EQ(a.sigma, b.sigma);
  EXPECT_EQ(a.tolerance, b.tolerance);
  EXPECT_EQ(a.violation, b.violation);
  EXPECT_EQ(a.iteration, b.iteration);
}

void expect_same(const DualCandidate& a, const DualCandidate& b) {
  EXPECT_EQ(a.representative, b.representative);
  expect_bits(a.G, b.G);
  expect_bits(a.H, b.H);
  expect_bits(a.dense, b.dense);
  ASSERT_EQ(a.entries.size(), b.entries.size());
  for (std::size_t k = 0; k < a.entries.size(); ++k) {
    EXPECT_EQ(a.entries[k].i, b.entries[k].i);
    EXPECT_EQ(a.entries[k].j, b.entries[k].j);
    EXPECT_EQ(a.entries[k].value, b.entries[k].value);
  }
}

class CheckpointFile : public ::testing::Test {
 protected:
  Checkpoint there_and_back(const Checkpoint& checkpoint) {
    write_checkpoint(path, checkpoint);
    return read_checkpoint(path, problem);
  }
  // Of reading what stands there and of checking it against the reduced problem.
  std::string error() const {
    return error_of(
        [&] { check_fits(read_checkpoint(path, problem), presolve(problem), path.string()); });
  }
  std::string error_of_bytes(const std::string& bytes) const {
    folder.write("c", bytes);
    return error();
  }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder.path()), {}));
  }

  TemporaryFolder folder;
  fs::path path = folder / "c";
  Problem problem = small_problem();
};

TEST_F(CheckpointFile, EveryFieldComesBackBitByBit) {
  const Checkpoint written = full_checkpoint(problem);

  const Checkpoint read = there_and_back(written);

  EXPECT_EQ(read.problem, written.problem);
  EXPECT_EQ(read.seconds, written.seconds);
  EXPECT_EQ(read.trained, written.trained);
  EXPECT_EQ(read.winner, written.winner);
  EXPECT_EQ(read.network.features, 3);
  EXPECT_EQ(read.network.outputs, 2);
  EXPECT_EQ(read.network.neurons, 4);
  expect_bits(read.network.U, written.network.U);
  expect_bits(read.network.V, written.network.V);
  expect_same(read.multipliers, written.multipliers);
  expect_same(read.low_rank, written.low_rank);
  EXPECT_EQ(error(), "");
  EXPECT_EQ(files(), 1U);
}

TEST_F(CheckpointFile, WhatDoesNotExistYetComesBackAsAbsent) {
  Checkpoint written;
  written.problem = hash_of(problem);
  written.network = {.features = 3, .outputs = 2, .neurons = 0, .U = {}, .V = {}};

  const Checkpoint read = there_and_back(written);

  EXPECT_FALSE(read.trained);
  EXPECT_EQ(read.network.neurons, 0);
  EXPECT_EQ(read.multipliers.G.size(), 0);
  EXPECT_TRUE(read.low_rank.empty());
  EXPECT_EQ(error(), "");
}

TEST_F(CheckpointFile, AnUnknownViolationAndRepresentativesComeBack) {
  Checkpoint written = full_checkpoint(problem);
  written.low_rank.violation = kInfinity;
  written.multipliers.representative = {0, -1, 2, 0, 4};

  const Checkpoint read = there_and_back(written);

  EXPECT_EQ(read.low_rank.violation, kInfinity);
  EXPECT_EQ(read.multipliers.representative, written.multipliers.representative);
}

TEST_F(CheckpointFile, TheLastWriteReplacesTheOneBefore) {
  Checkpoint written = full_checkpoint(problem);
  write_checkpoint(path, written);
  written.seconds = 5.0;

  EXPECT_EQ(there_and_back(written).seconds, 5.0);
  EXPECT_EQ(files(), 1U);
}

TEST_F(CheckpointFile, CutShortItIsRefused) {
  write_checkpoint(path, full_checkpoint(problem));
  const std::string bytes = content_of(path);
  ASSERT_GT(bytes.size(), 2000U);

  for (std::size_t length = 0; length < bytes.size(); length += 100) {
    const std::string message = error_of_bytes(bytes.substr(0, length));
    EXPECT_EQ(message.rfind(path.string() + ": ", 0), 0U) << length << ": " << message;
  }
  EXPECT_NE(error_of_bytes(bytes.substr(0, bytes.size() - 1)), "");
  EXPECT_NE(error_of_bytes(bytes + "x"), "");
}

TEST_F(CheckpointFile, AFlippedBitIsNoticedWhereverItIs) {
  write_checkpoint(path, full_checkpoint(problem));
  const std::string bytes = content_of(path);
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), 8);

  // Every byte of the header, some of the numbers. Bit 5 makes a NUL of a blank.
  for (std::size_t at = 0; at < bytes.size(); at += at < 8 + header ? 1 : 37) {
    for (const int bit : {0, 3, 5}) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      const std::string message = error_of_bytes(changed);
      EXPECT_EQ(message.rfind(path.string() + ": ", 0), 0U) << at << " " << bit << ": " << message;
    }
  }
}

TEST_F(CheckpointFile, OfAnotherProblemItIsRefused) {
  write_checkpoint(path, full_checkpoint(problem));
  const auto refused = [&](const std::function<void(Problem&)>& change) {
    Problem other = problem;
    change(other);
    const std::string message = error_of([&] { read_checkpoint(path, other); });
    return message.find(path.string() + ": is a checkpoint of other data") == 0;
  };

  EXPECT_TRUE(refused([](Problem& p) { p.X[3] = std::nextafter(p.X[3], 9.0); }));
  EXPECT_TRUE(refused([](Problem& p) { p.Y[9] = -p.Y[9]; }));
  EXPECT_TRUE(refused([](Problem& p) { std::swap(p.X[0], p.X[1]); }));
  EXPECT_TRUE(refused([](Problem& p) { p.weight_decay = 0.25; }));
  EXPECT_TRUE(refused([](Problem& p) { std::swap(p.features, p.outputs); }));
  EXPECT_FALSE(refused([](Problem&) {}));
}

TEST_F(CheckpointFile, OtherFilesAreRefused) {
  EXPECT_NE(error().find("c: cannot be opened (No such file or directory)"), std::string::npos);
  EXPECT_NE(error_of_bytes("").find("c: is empty"), std::string::npos);
  EXPECT_NE(error_of_bytes("a,b\n1,2\n").find("c: "), std::string::npos);
  Model model;
  model.network = full_checkpoint(problem).network;
  EXPECT_NE(error_of_bytes(model_bytes(model)).find("c: is no relulift checkpoint"),
            std::string::npos);
}

// The checksum is right in all of them: this is about the content.
TEST_F(CheckpointFile, WrongSizesAndValuesAreRefused) {
  using Change = std::function<void(Checkpoint&)>;
  const std::vector<Change> changes{
      [](Checkpoint& c) { c.seconds = -1.0; },
      [](Checkpoint& c) { c.seconds = kNan; },
      [](Checkpoint& c) { c.network.U.resize(8), c.network.features = 2; },
      [](Checkpoint& c) { c.network.V.resize(4), c.network.outputs = 1; },
      [](Checkpoint& c) { c.network.U.pop_back(); },
      [](Checkpoint& c) { c.network.U[2] = kNan; },
      [](Checkpoint& c) { c.network.V[2] = kInfinity; },
      [](Checkpoint& c) { c.multipliers.G = numbers(4, 2, 1.0); },
      [](Checkpoint& c) { c.multipliers.G(1, 1) = kNan; },
      [](Checkpoint& c) { c.multipliers.H = numbers(5, 1, 1.0); },
      [](Checkpoint& c) { c.multipliers.dense = numbers(5, 5, 1.0); },
      [](Checkpoint& c) { c.multipliers.dense(0, 0) = -kInfinity; },
      [](Checkpoint& c) { c.multipliers.entries[0].i = 10; },
      [](Checkpoint& c) { c.multipliers.entries[1].j = -1; },
      [](Checkpoint& c) { c.multipliers.entries[1].j = Index{1} << 40; },
      [](Checkpoint& c) { c.multipliers.entries[2].value = kNan; },
      [](Checkpoint& c) {
        c.multipliers.representative = {0, 1, 2, 3, 3};
      },
      [](Checkpoint& c) {
        c.multipliers.representative = {0, 1, 2};
      },
      [](Checkpoint& c) { c.low_rank.Z = numbers(2, 9, 1.0); },
      [](Checkpoint& c) { c.low_rank.Z(0, 0) = kNan; },
      [](Checkpoint& c) { c.low_rank.pairs.pop_back(); },
      [](Checkpoint& c) { std::swap(c.low_rank.pairs[0], c.low_rank.pairs[1]); },
      [](Checkpoint& c) { c.low_rank.pairs[1] = c.low_rank.pairs[0]; },
      [](Checkpoint& c) {
        c.low_rank.pairs[1] = {1, 6};
      },  // a free multiplier
      [](Checkpoint& c) {
        c.low_rank.pairs[2] = {8, 10};
      },
      [](Checkpoint& c) {
        c.low_rank.pairs[0] = {-1, 1};
      },
      [](Checkpoint& c) {
        c.low_rank.pairs[1] = {6, 0};
      },
      [](Checkpoint& c) { c.low_rank.w(1) = -1e-300; },
      [](Checkpoint& c) { c.low_rank.y = numbers(4, 1, 0.0); },
      [](Checkpoint& c) { c.low_rank.y(3) = kNan; },
      [](Checkpoint& c) { c.low_rank.sigma = 0.0; },
      [](Checkpoint& c) { c.low_rank.sigma = kNan; },
      [](Checkpoint& c) { c.low_rank.tolerance = -1.0; },
      [](Checkpoint& c) { c.low_rank.violation = -1.0; },
      [](Checkpoint& c) { c.low_rank.iteration = -3; },
  };

  for (std::size_t k = 0; k < changes.size(); ++k) {
    Checkpoint checkpoint = full_checkpoint(problem);
    changes[k](checkpoint);
    write_checkpoint(path, checkpoint);
    const std::string message = error();
    EXPECT_EQ(message.rfind(path.string() + ": ", 0), 0U) << k << ": " << message;
  }
}

TEST_F(CheckpointFile, WhereItCannotBeWrittenNothingIsLeft) {
  const Checkpoint checkpoint = full_checkpoint(problem);
  const std::string absent = error_of([&] { write_checkpoint(folder / "no/c", checkpoint); });
  const std::string a_folder = error_of([&] { write_checkpoint(folder.path(), checkpoint); });

  EXPECT_NE(absent.find("no/c: cannot be written"), std::string::npos) << absent;
  EXPECT_NE(a_folder.find("is a folder"), std::string::npos) << a_folder;
  EXPECT_EQ(files(), 0U);
}

// ---- The writer ----

class Writer : public CheckpointFile {
 protected:
  CheckpointWriter writer(double every_seconds) const {
    return CheckpointWriter({.checkpoint = path, .checkpoint_every_seconds = every_seconds},
                            problem);
  }
  using Check = CheckpointWriter::Check;
  ReducedProblem reduced = presolve(problem).reduced;
};

TEST_F(Writer, WithoutAPathItDoesNothing) {
  CheckpointWriter off(Options{}, problem);
  off.keep(full_checkpoint(problem).network, Winner::network);
  off.at_check({.state = []() -> LowRankState { throw std::logic_error("fetched"); }}, reduced,
               Check::last);
  off.training_ended();
  off.write_when_due();
  off.write();

  EXPECT_FALSE(off.on());
  EXPECT_EQ(off.failure(), "");
}

TEST_F(Writer, WritesWhatIsNewWhenTheIntervalHasPassed) {
  CheckpointWriter now = writer(1e-300), never = writer(kInfinity);
  now.write_when_due();
  EXPECT_EQ(files(), 0U);  // nothing to say yet

  never.keep(full_checkpoint(problem).network, Winner::network);
  never.write_when_due();
  EXPECT_EQ(files(), 0U);

  now.keep(full_checkpoint(problem).network, Winner::network);
  now.write_when_due();
  EXPECT_EQ(files(), 1U);
  EXPECT_FALSE(read_checkpoint(path, problem).trained);
}

TEST_F(Writer, CarriesOnWhatAnEarlierRunLeft) {
  const Checkpoint earlier = full_checkpoint(problem);
  CheckpointWriter later = writer(kInfinity);
  later.go_on_from(earlier);
  later.write();

  const Checkpoint read = read_checkpoint(path, problem);
  EXPECT_GE(read.seconds, earlier.seconds);
  EXPECT_TRUE(read.trained);
  expect_same(read.multipliers, earlier.multipliers);
  expect_same(read.low_rank, earlier.low_rank);
}

TEST_F(Writer, FetchesTheStateOfAnEngineOnlyWhenItIsDue) {
  int fetched = 0;
  const EngineCheck check{.state = [&] {
    ++fetched;
    return full_checkpoint(problem).low_rank;
  }};
  CheckpointWriter now = writer(1e-300), never = writer(kInfinity);
  never.keep(full_checkpoint(problem).network, Winner::network);
  now.keep(full_checkpoint(problem).network, Winner::network);

  never.at_check(check, reduced, Check::one_of_many);
  EXPECT_EQ(fetched, 0);
  never.at_check(check, reduced, Check::last);
  EXPECT_EQ(fetched, 1);
  expect_same(read_checkpoint(path, problem).low_rank, full_checkpoint(problem).low_rank);

  now.at_check(check, reduced, Check::one_of_many);
  EXPECT_EQ(fetched, 2);
  now.at_check({}, reduced, Check::last);  // of an engine without a state
}

TEST_F(Writer, LeavesOutAStateThatCouldNotBeReadBack) {
  CheckpointWriter broken = writer(kInfinity);
  broken.keep(full_checkpoint(problem).network, Winner::network);
  LowRankState state = full_checkpoint(problem).low_rank;
  const EngineCheck check{.state = [&] { return state; }};
  broken.at_check(check, reduced, Check::last);
  const LowRankState good = state;
  state.Z(1, 1) = kNan;
  broken.at_check(check, reduced, Check::last);
  broken.write();

  expect_same(read_checkpoint(path, problem).low_rank, good);
}

TEST_F(Writer, AFailureIsRememberedAndTriedAgain) {
  fs::create_directory(folder / "sub");
  CheckpointWriter moved(Options{.checkpoint = folder / "sub/c"}, problem);
  moved.keep(full_checkpoint(problem).network, Winner::network);

  fs::remove(folder / "sub");
  moved.write();
  EXPECT_NE(moved.failure().find("sub/c: cannot be written"), std::string::npos);

  fs::create_directory(folder / "sub");
  moved.write();
  EXPECT_EQ(moved.failure(), "");
  EXPECT_TRUE(fs::exists(folder / "sub/c"));
}

// ---- Solves ----

// d = 7: too many features for the cones, so that a bound takes the engine. Small for speed.
class Resume : public CheckpointFile {
 protected:
  Resume() {
    Random random(3);
    problem = testing::random_problem(random, 16, 7, 2, 0.3);
  }
  // Stops at the first check that `stop` says yes to.
  Result solve_until(const std::function<bool(const Progress&)>& stop, Options options) {
    options.on_progress = [&stop](const Progress& progress) { return !stop(progress); };
    return solve(problem, options);
  }
  static bool has_phase(const Result& result, const std::string& phase) {
    return std::any_of(result.trace.begin(), result.trace.end(),
                       [&](const Progress& progress) { return progress.phase == phase; });
  }
};

TEST_F(Resume, AnInterruptedSolveLeavesItsNetworkAndGoesOn) {
  const Result whole = solve(problem, {.engine = Engine::interior, .gap = 0.0, .split = 0});
  const Result first =
      solve_until([](const Progress& p) { return p.objective < 20.0; },
                  {.engine = Engine::interior, .gap = 0.0, .split = 0, .checkpoint = path});
  ASSERT_EQ(first.status, Status::interrupted);
  const Checkpoint left = read_checkpoint(path, problem);
  EXPECT_FALSE(left.trained);
  expect_bits(left.network.U, first.network.U);

  const Result resumed =
      solve(problem, {.engine = Engine::interior, .gap = 0.0, .split = 0, .resume = path});

  EXPECT_EQ(resumed.status, whole.status);
  EXPECT_LE(resumed.objective, first.objective);
  // Both sides of p_sdp to the tolerance of the engine; training ends at a local optimum.
  EXPECT_NEAR(resumed.certificate.lower_bound, whole.certificate.lower_bound,
              1e-3 * whole.certificate.lower_bound);
  EXPECT_NEAR(resumed.objective, whole.objective, 1e-2 * whole.objective);
}

TEST_F(Resume, TheLowRankEngineGoesOnWhereItStood) {
  const Options asked{.engine = Engine::low_rank, .gap = 0.0};
  const Result whole = solve(problem, asked);
  Options options = asked;
  options.checkpoint = path;
  const Result first = solve_until(
      [](const Progress& p) { return p.phase == std::string("low-rank") && p.iteration == 9; },
      options);
  ASSERT_EQ(first.status, Status::interrupted);
  EXPECT_GT(read_checkpoint(path, problem).low_rank.iteration, 0);
  options = asked;
  options.resume = path;

  const Result resumed = solve(problem, options);

  const auto begun =
      std::find_if(resumed.trace.begin(), resumed.trace.end(),
                   [](const Progress& p) { return p.phase == std::string("low-rank"); });
  ASSERT_NE(begun, resumed.trace.end());
  EXPECT_GT(begun->iteration, 1);
  EXPECT_TRUE(resumed.status == Status::optimal || resumed.status == Status::stalled);
  // A point within the tolerance of the engine.
  EXPECT_NEAR(resumed.relaxation.primal, whole.relaxation.primal, 1e-2 * whole.relaxation.primal);
}

TEST_F(Resume, TheBoundOfTheEngineIsProvedAnewWithoutIt) {
  const Result whole =
      solve(problem, {.engine = Engine::interior, .gap = 0.0, .split = 0, .checkpoint = path});
  ASSERT_EQ(whole.certificate.kind, "cholesky");

  const Result resumed = solve(problem, {.engine = Engine::none, .resume = path});

  EXPECT_EQ(resumed.objective, whole.objective);
  EXPECT_EQ(resumed.winner, whole.winner);
  // The candidate is the same; the objective that goes into [eq:repair] may be better.
  EXPECT_GE(resumed.certificate.lower_bound, (1.0 - 1e-12) * whole.certificate.lower_bound);
  EXPECT_EQ(resumed.certificate.kind, "cholesky");
  EXPECT_FALSE(has_phase(resumed, "network"));  // training had ended
}

// Multipliers out of thin air with a right checksum: whatever they prove is true.
TEST_F(Resume, MultipliersOfAStrangerProveNothingFalse) {
  const Result honest = solve(problem, {.engine = Engine::none, .checkpoint = path});
  Checkpoint forged = read_checkpoint(path, problem);
  forged.multipliers.G = numbers(16, 2, 1e6);
  forged.multipliers.H = numbers(16, 2, 1e6);
  forged.multipliers.entries = {{0, 1, 1e9}, {3, 19, -1e9}};
  write_checkpoint(path, forged);

  const Result resumed = solve(problem, {.engine = Engine::none, .resume = path});

  EXPECT_LE(resumed.certificate.lower_bound, honest.objective);
  EXPECT_EQ(resumed.objective, honest.objective);
}

TEST_F(Resume, TheWidthLimitHoldsForTheNetworkOfTheFile) {
  solve(problem, {.engine = Engine::none, .checkpoint = path});
  ASSERT_GT(read_checkpoint(path, problem).network.neurons, 2);

  const Result resumed = solve(problem, {.engine = Engine::none, .max_neurons = 2, .resume = path});

  EXPECT_LE(resumed.network.neurons, 2);
  EXPECT_TRUE(has_phase(resumed, "network"));  // what was cut off has to be made up for
}

TEST_F(Resume, TheResumedRunCountsItsOwnSecondsAndTheFileAllOfThem) {
  solve(problem, {.engine = Engine::none, .checkpoint = path});
  Checkpoint long_ago = read_checkpoint(path, problem);
  long_ago.seconds = 1e6;
  write_checkpoint(path, long_ago);

  const Result resumed =
      solve(problem, {.engine = Engine::none, .checkpoint = path, .resume = path});

  EXPECT_LT(resumed.seconds.total, 1e6);
  EXPECT_GE(read_checkpoint(path, problem).seconds, 1e6);
}

TEST_F(Resume, WhatCannotWorkIsRefusedBeforeTheWorkBegins) {
  int checks = 0;
  const auto refusal = [&](Options options) {
    options.on_progress = [&](const Progress&) { return ++checks, true; };
    return error_of([&] { solve(problem, options); });
  };
  const Network network{.features = 7, .outputs = 2, .neurons = 0, .U = {}, .V = {}};
  const auto certify_refusal = [&](const Options& options) {
    return error_of([&] { certify(problem, network, options); });
  };

  EXPECT_NE(refusal({.checkpoint = folder / "no/c"}).find("no/c: cannot be written"),
            std::string::npos);
  EXPECT_NE(refusal({.checkpoint = folder.path()}).find("is a folder"), std::string::npos);
  EXPECT_NE(refusal({.resume = path}).find("c: cannot be opened"), std::string::npos);
  for (const double bad : {0.0, -1.0, kNan})
    EXPECT_EQ(refusal({.checkpoint_every_seconds = bad}),
              "checkpoint_every_seconds must be positive");
  EXPECT_NE(certify_refusal({.checkpoint = path}).find("for solve()"), std::string::npos);
  EXPECT_NE(certify_refusal({.resume = path}).find("for solve()"), std::string::npos);
  EXPECT_EQ(checks, 0);
  EXPECT_EQ(files(), 0U);
}

TEST_F(Resume, AVanishedFolderCostsTheCheckpointNotTheResult) {
  fs::create_directory(folder / "sub");
  const Result result = solve_until(
      [&](const Progress&) { return fs::remove(folder / "sub"), false; },
      {.engine = Engine::none, .checkpoint = folder / "sub/c", .checkpoint_every_seconds = 1e9});

  EXPECT_GT(result.network.neurons, 0);
  EXPECT_NE(result.checkpoint_failure.find("sub/c: cannot be written"), std::string::npos);
}

}  // namespace
}  // namespace relulift::test
