// SPDX-License-Identifier: Apache-2.0
// Hostile inputs to the program. Each ends in one sentence on standard error, exit code 2, and a
// folder that holds what it held before.
#include <cmath>
#include <limits>
#include <map>

#include "tests/support/files.hpp"
#include "tests/support/formats.hpp"
#include "tests/support/program.hpp"

namespace relulift::test {
namespace {

constexpr const char* kTable = "a,b,k\n1,2,u\n3,4,v\n5,7,u\n6,1,v\n";

std::string raw(const std::vector<double>& entries) {
  return {reinterpret_cast<const char*>(entries.data()), entries.size() * sizeof(double)};
}

std::string safetensors(const std::string& header, const std::string& data) {
  std::string bytes;
  for (std::size_t k = 0; k < 8; ++k) bytes += static_cast<char>(header.size() >> (8 * k));
  return bytes + header + data;
}

std::string tensor(const std::string& name, const std::string& shape, int from, int to) {
  return "\"" + name + R"(":{"dtype":"F64","shape":)" + shape + ",\"data_offsets\":[" +
         std::to_string(from) + "," + std::to_string(to) + "]}";
}

// A torch network of 2 features, 1 neuron, 2 outputs, and what follows it.
std::string model(const std::string& more = "", const std::string& data = "") {
  return safetensors("{" + tensor("0.weight", "[1,2]", 0, 16) + "," +
                         tensor("2.weight", "[2,1]", 16, 32) + more + "}",
                     raw({1, 2, 3, 4}) + data);
}

std::string npy(const std::string& descr, const std::string& shape,
                const std::vector<double>& entries) {
  const std::string header =
      "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }\n";
  std::string bytes = std::string("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(header.size());
  bytes += '\0';
  return bytes + header + raw(entries);
}

std::string many_classes(int rows) {
  std::string text = "a,k\n";
  for (int i = 0; i < rows; ++i) text += "1,c" + std::to_string(i) + "\n";
  return text;
}

struct Hostile {
  std::string name;
  std::string bad;        // content of the file "bad"; it is absent when this is empty
  std::string arguments;  // of the program
  std::string sentence;   // part of the message
};

// For failure messages.
void PrintTo(const Hostile& hostile, std::ostream* out) { *out << hostile.arguments; }

const std::string kTrain = "train bad --target k --weight-decay 0.1 --out out";
const std::string kGood = "train good.csv --target k --weight-decay 0.1 --out out";
const std::string kCertify = "certify bad good.csv --target k --weight-decay 0.1";

const std::string kLabels = "train bad --target label --weight-decay 0.1 --out out";

std::vector<Hostile> tables() {
  return {
      {"AbsentTable", "", kTrain, "bad: cannot be opened (No such file or directory)"},
      {"FolderAsTable", "", "train folder --target k --weight-decay 1 --out out",
       "folder: is a folder"},
      {"DeviceAsTable", "", "train /dev/zero --target k --weight-decay 1 --out out",
       "/dev/zero: is not a regular file"},
      {"EmptyLinesOnly", "\n\n\n", kTrain, "bad: is empty"},
      {"HeaderWithoutRows", "a,b,k\n", kTrain, "bad: has a header and no data rows"},
      {"ShortRow", "a,b,k\n1,2,u\n1,v\n", kTrain, "bad:line 3: has 2 fields, the header has 3"},
      {"LongRow", "a,b,k\n1,2,u,9\n", kTrain, "bad:line 2: has 4 fields"},
      {"WordForANumber", "a,b,k\n1,2,u\n3,x,v\n", kTrain,
       "bad:line 3, column 'b': 'x' is not a finite number"},
      {"TrailingCharacters", "a,b,k\n1,2.5kg,u\n", kTrain, "'2.5kg' is not a finite number"},
      {"NotANumber", "a,b,k\n1,nan,u\n", kTrain, "bad:line 2, column 'b': 'nan'"},
      {"Infinity", "a,b,k\n-inf,2,u\n", kTrain, "bad:line 2, column 'a': '-inf'"},
      {"Overflow", "a,b,k\n1e999,2,u\n", kTrain, "'1e999' is not a finite number"},
      {"MissingCell", "a,b,k\n1,,u\n", kTrain, "bad:line 2, column 'b': is empty"},
      {"MissingLabel", "a,b,k\n1,2,\n", kTrain, "bad:line 2, column 'k': the label is empty"},
      {"SingleClass", "a,b,k\n1,2,u\n2,3,u\n", kTrain, "single label 'u'"},
      {"FractionsAsLabels", "a,k\n1,0.5\n2,1.25\n", kTrain, "fractions"},
      {"DuplicateColumn", "a,a,k\n1,2,u\n", kTrain, "bad:line 1: two columns are named 'a'"},
      {"NamelessColumn", ",b,k\n1,2,u\n", kTrain, "bad:line 1: column 1 has no name"},
      {"NoHeader", "5.1,3.5,u\n4.9,3.0,v\n", kTrain, "bad:line 1: must hold the names"},
      {"NoTargetColumn", "a,b\n1,2\n", kTrain, "bad: has no target column 'k'"},
      {"NothingButTheTarget", "k\nu\nv\n", kTrain, "bad: has no feature column"},
      {"Semicolons", "a;b;k\n1;2;u\n", kTrain, "separated by commas"},
      {"OpenQuote", "a,b,k\n1,\"2,u\n3,4,v\n", kTrain, "bad:line 2: a quoted field is opened"},
      {"TextAfterQuote", "a,b,k\n1,\"2\"3,u\n", kTrain, "bad:line 2: text follows"},
      {"Binary", std::string("a,b,k\n\0\1\2\3\n", 11), kTrain, "bad:line 2: holds a NUL byte"},
      {"Utf16",
       std::string("\xFF\xFE"
                   "a\0,\0",
                   6),
       kTrain, "UTF-16"},
      {"Gzip", "\x1F\x8B\x08 compressed", kTrain, "bad: holds damaged gzip data"},
      {"GzipCutShort", gzip_file(kTable).substr(0, 30), kTrain, "bad: ends within its gzip data"},
      {"LibsvmWithNan", "1 1:2\n2 1:nan\n", kLabels, "bad:line 2, index 1: 'nan'"},
      {"LibsvmDescending", "1 2:1 1:1\n", kLabels, "bad:line 1: the index 1 follows 2"},
      {"LibsvmOfQueries", "1 qid:1 1:1\n", kLabels, "bad:line 1: 'qid:1' is a query"},
      {"LibsvmBeyondMemory", "1 1:1\n2 1000000000000000:1\n", kLabels, "of memory"},
      {"IdxCutShort", idx_file(8, {2, 28, 28}, "abc"),
       "train bad --targets-file y.npy --weight-decay 1 --out out",
       "bad: 2 x 28 x 28 entries of 1 bytes are announced, 3 bytes follow"},
      {"NpzEncrypted", zip_file({{.name = "X.npy", .content = "abc", .flags = 1}}),
       "predict net.safetensors bad", "bad, array 'X': is encrypted"},
      {"NpzBomb", zip_file({{.name = "X.npy", .content = "abc", .method = 8, .size = 4000000000}}),
       "predict net.safetensors bad", "bytes, which is impossible"},
      {"Zip", "PK\x03\x04 archive", kTrain, "ZIP archive"},
      {"MoreClassesThanMemory", many_classes(800000), kTrain, "of memory"},
      {"ValuesTooLarge", "a,b,k\n1e200,2,u\n1,4,v\n", kTrain, "too large to be squared"},
      {"NpyCutShort", npy("<f8", "(2, 2)", {1, 2, 3}),
       "train bad --targets-file y.npy --weight-decay 1 --out out", "are announced"},
      {"NpyHugeShape", npy("<f8", "(4611686018427387904, 4)", {1}),
       "train bad --targets-file y.npy --weight-decay 1 --out out", "are announced"},
      {"NpyOfComplexNumbers", npy("<c16", "(1, 1)", {1, 2}),
       "train bad --targets-file y.npy --weight-decay 1 --out out", "type '<c16'"},
      {"NpyWithNan", npy("<f8", "(2, 1)", {1, std::nan("")}),
       "train bad --targets-file y.npy --weight-decay 1 --out out", "row 1, column 0"},
      {"NpyRowsDisagree", npy("<f8", "(3, 1)", {1, 2, 3}),
       "train bad --targets-file y.npy --weight-decay 1 --out out", "y.npy: has 2 rows"},
      {"NpyWithNamedTarget", npy("<f8", "(1, 1)", {1}), kTrain, "no named columns"},
      {"TestLacksAColumn", "a,k\n1,u\n", kGood + " --test bad", "bad: has no feature column 'b'"},
      {"TestHasANewLabel", "a,b,k\n1,2,w\n", kGood + " --test bad",
       "bad:line 2, column 'k': 'w' is not among the labels"},
      {"TestLacksTheTarget", "a,b\n1,2\n", kGood + " --test bad", "bad: has no target column 'k'"},
      {"AbsentTest", "", kGood + " --test bad", "bad: cannot be opened"},
  };
}

std::vector<Hostile> usage() {
  return {
      {"NoSubcommand", "", "", "subcommand"},
      {"UnknownSubcommand", "", "fit good.csv", "fit"},
      {"UnknownOption", "", kGood + " --frobnicate", "--frobnicate"},
      {"NoWeightDecay", "", "train good.csv --target k --out out", "--weight-decay"},
      {"ZeroWeightDecay", "", "train good.csv --target k --weight-decay 0 --out out",
       "--weight-decay must be finite and positive, not 0"},
      {"NegativeWeightDecay", "", "train good.csv --target k --weight-decay -1 --out out",
       "--weight-decay"},
      {"NanWeightDecay", "", "train good.csv --target k --weight-decay nan --out out",
       "--weight-decay"},
      {"InfiniteWeightDecay", "", "train good.csv --target k --weight-decay inf --out out",
       "--weight-decay"},
      {"WordAsWeightDecay", "", "train good.csv --target k --weight-decay big --out out",
       "--weight-decay"},
      {"OneCone", "", kGood + " --split 1",
       "--split must be auto, 0 or a whole number from 2 on, not 1"},
      {"NegativeCones", "", kGood + " --split -3", "--split must be auto, 0 or a whole number"},
      {"WordForCones", "", kGood + " --split abc", "--split must be auto, 0 or a whole number"},
      {"FractionOfCones", "", kGood + " --split 2.5", "--split must be auto, 0 or a whole number"},
      {"HugeNumberOfCones", "", kGood + " --split 99999999999999999999", "--split must be"},
      {"NoNumberOfCones", "", kGood + " --split=", "--split"},
      {"ConesOfAnotherEngine", "", kGood + " --split 4 --engine dense",
       "--split 4 goes on from the interior engine; --engine dense leaves it out"},
      {"ConesOfNoEngine", "", kGood + " --split 4 --engine none", "--split 4"},
      {"GapOfOne", "", kGood + " --gap 1", "--gap must be in [0, 1), not 1"},
      {"NegativeGap", "", kGood + " --gap=-0.1", "--gap must be in [0, 1)"},
      {"NanGap", "", kGood + " --gap nan", "--gap must be in [0, 1)"},
      {"NoTimeAtAll", "", kGood + " --time-limit 0", "--time-limit must be finite and positive"},
      {"NanTimeLimit", "", kGood + " --time-limit nan", "--time-limit"},
      {"NegativeNeurons", "", kGood + " --neurons=-5", "--neurons"},
      {"ZeroNeurons", "", kGood + " --neurons 0", "--neurons must be positive, not 0"},
      {"ZeroIterations", "", kGood + " --iterations 0", "--iterations must be positive, not 0"},
      {"ZeroThreads", "", kGood + " --threads 0", "--threads must be between 1 and 1024, not 0"},
      {"FractionOfANeuron", "", kGood + " --neurons 1.5", "--neurons"},
      {"NegativeIterations", "", kGood + " --iterations=-1", "--iterations"},
      {"TooManyThreads", "", kGood + " --threads 1000000", "--threads"},
      {"NegativeSeed", "", kGood + " --seed=-1", "--seed"},
      {"UnknownEngine", "", kGood + " --engine warp", "warp"},
      {"UnknownPrecision", "", kGood + " --precision half", "half"},
      {"UnknownDevice", "", kGood + " --device abacus", "abacus"},
      {"NoTarget", "", "train good.csv --weight-decay 1 --out out", "--target"},
      {"TwoKindsOfTargets", "", kGood + " --targets a", "--target"},
      {"TargetTwice", "", "train good.csv --targets a,a --weight-decay 1 --out out", "twice"},
      {"TargetsFileOfATable", "", "train good.csv --targets-file y.npy --weight-decay 1 --out out",
       "goes with an NPY or IDX table"},
      {"OutIsAFile", "", "train good.csv --target k --weight-decay 1 --out good.csv",
       "good.csv: exists and is not a folder"},
      {"OutBelowAFile", "", "train good.csv --target k --weight-decay 1 --out good.csv/out",
       "good.csv"},
      {"OutHoldsOtherFiles", "", "train good.csv --target k --weight-decay 1 --out folder",
       "folder: exists and holds no relulift result"},
      {"DataInOut", "", "train result/trace.csv --target k --weight-decay 1 --out result",
       "result/trace.csv: is an input and lies in the output folder result"},
      {"DataInOutByAnotherName", "",
       "train folder/../result/trace.csv --target k --weight-decay 1 --out ./result/",
       "lies in the output folder ./result/"},
      {"DataInOutThroughALink", "", "train link.csv --target k --weight-decay 1 --out result",
       "link.csv: is an input and lies in the output folder result"},
      {"TestInOut", "",
       "train good.csv --target k --weight-decay 1 --test result/trace.csv --out result",
       "result/trace.csv: is an input"},
      {"TargetsInOut", "",
       "train y.npy --targets-file result/trace.csv --weight-decay 1 --out result",
       "result/trace.csv: is an input"},
      {"TestTargetsInOut", "",
       "train y.npy --targets-file y.npy --test y.npy --test-targets-file result/trace.csv "
       "--weight-decay 1 --out result",
       "result/trace.csv: is an input"},
      {"OutIsHere", "", "train good.csv --target k --weight-decay 1 --out .", "current folder"},
  };
}

std::vector<Hostile> models() {
  const std::string nan = raw({std::numeric_limits<double>::quiet_NaN()});
  return {
      {"AbsentModel", "", "predict bad good.csv", "bad: cannot be opened"},
      {"TableAsModel", kTable, "predict bad good.csv", "no safetensors file"},
      {"PickledModel", "PK\x03\x04 torch", "predict bad good.csv", "PyTorch archive"},
      {"ModelCutShort", model().substr(0, 100), "predict bad good.csv", "announces a header"},
      {"WeightsCutShort", model().substr(0, model().size() - 8), kCertify, "is said to stand"},
      {"HeaderLengthOverflows", std::string(64, '\xFF'), kCertify, "announces a header"},
      {"DeepHeader", safetensors(std::string(200000, '['), ""), kCertify, "nested too deeply"},
      {"OutputBias", model("," + tensor("2.bias", "[2]", 32, 48), raw({1, 2})), kCertify,
       "holds the output bias '2.bias'"},
      {"ThirdLayer", model("," + tensor("4.weight", "[1,2]", 32, 48), raw({1, 2})), kCertify,
       "no part of a two-layer network"},
      {"OverlappingTensors", model("," + tensor("0.bias", "[1]", 24, 32)), kCertify, "overlaps"},
      {"GapInTheTensors", model("," + tensor("0.bias", "[1]", 40, 48), raw({1, 2})), kCertify,
       "follows a gap"},
      {"BytesAtTheEnd", model() + "tail", kCertify, "belong to no tensor"},
      {"NanWeight", model("," + tensor("0.bias", "[1]", 32, 40), nan), kCertify, "not finite"},
      {"HalfPrecision",
       safetensors(R"({"0.weight":{"dtype":"F16","shape":[1,2],"data_offsets":[0,4]}})", "1234"),
       kCertify, "dtype 'F16'"},
      {"LayersDisagree",
       safetensors("{" + tensor("0.weight", "[1,2]", 0, 16) + "," +
                       tensor("2.weight", "[1,2]", 16, 32) + "}",
                   raw({1, 2, 3, 4})),
       kCertify, "the layers disagree"},
      {"ContradictingMetadata",
       safetensors(R"({"__metadata__":{"version":"1","features":"[\"a\"]"},)" +
                       tensor("0.weight", "[1,2]", 0, 16) + "," +
                       tensor("2.weight", "[2,1]", 16, 32) + "}",
                   raw({1, 2, 3, 4})),
       kCertify, "metadata"},
      {"NoWeightDecayAnywhere", model(), "certify bad good.csv --target k", "give --weight-decay"},
      {"NoTargetAnywhere", model(), "certify bad good.csv --weight-decay 1", "names no targets"},
      {"TooManyFeatures", "a,b,c,k\n1,2,3,u\n4,5,6,v\n",
       "certify net.safetensors bad --target k --weight-decay 1", "bad: has 3 feature columns"},
      {"TooManyClasses", "a,b,k\n1,2,u\n4,5,v\n4,4,w\n",
       "certify net.safetensors bad --target k --weight-decay 1", "bad: has 3 classes"},
      {"PredictionsOverTheData", "", "predict net.safetensors x.csv --out x.csv",
       "x.csv: is an input"},
      {"PredictionsIntoNowhere", "", "predict net.safetensors x.csv --out no/such/folder.csv",
       "no/such/folder.csv: cannot be written"},
      // The model is absent: the target is looked at before anything is read, let alone solved.
      {"PredictionsIntoNowhereFirst", "", "predict bad x.csv --out no/such/folder.csv",
       "no/such/folder.csv: cannot be written"},
      {"PredictionsBelowAFile", "", "predict net.safetensors x.csv --out good.csv/p.csv",
       "good.csv/p.csv: cannot be written"},
      {"BoundIntoNowhere", "", kCertify + " --json no/such/b.json",
       "no/such/b.json: cannot be written (No such file or directory)"},
      {"BoundOntoAFolder", "", kCertify + " --json folder", "folder: is a folder, not a file"},
      {"BoundOntoADevice", "", kCertify + " --json /dev/full", "/dev/full: is not a regular file"},
      {"PredictionsOntoADevice", "", "predict net.safetensors x.csv --out /dev/null",
       "/dev/null: is not a regular file"},
      {"BoundOverTheModel", "",
       "certify net.safetensors good.csv --target k --weight-decay 1 --json net.safetensors",
       "net.safetensors: is an input"},
  };
}

std::vector<Hostile> generations() {
  const std::string sizes = " --samples 9 --features 2 --outputs 3";
  const std::string rest = " --seed 1 --out t.csv";
  const std::string spiral = "generate spiral --samples 9";
  return {
      {"NoRecipe", "", "generate" + sizes + rest, "RECIPE"},
      {"UnknownRecipe", "", "generate moons" + sizes + rest, "moons"},
      {"NoSamples", "", "generate teacher --features 2 --outputs 3" + rest, "--samples"},
      {"NoSeed", "", "generate teacher" + sizes + " --out t.csv", "--seed"},
      {"NoOut", "", "generate teacher" + sizes + " --seed 1", "--out"},
      {"ZeroSamples", "", "generate teacher --samples 0 --features 2 --outputs 3" + rest,
       "samples must be at least 1, not 0"},
      {"NegativeFeatures", "", "generate random --samples 9 --features=-2 --outputs 3" + rest,
       "features must be at least 1, not -2"},
      {"ZeroOutputs", "", "generate random --samples 9 --features 2 --outputs 0" + rest,
       "outputs must be at least 1, not 0"},
      {"FractionOfASample", "", "generate teacher --samples 1.5 --features 2 --outputs 3" + rest,
       "--samples"},
      {"SamplesBeyondIntegers", "",
       "generate teacher --samples 9223372036854775808 --features 2 --outputs 3" + rest,
       "--samples: '9223372036854775808' is no whole number of at most 64 bits"},
      {"SeedBeyondIntegers", "", "generate teacher --out t.csv --seed 9223372036854775808" + sizes,
       "--seed"},
      {"WordAsSeed", "", "generate teacher --out t.csv --seed today" + sizes, "--seed"},
      {"SpiralOfThreeFeatures", "", spiral + " --features 3 --outputs 3" + rest,
       "spiral needs 2 features, not 3"},
      {"SpiralOfOneArm", "", spiral + " --features 2 --outputs 1" + rest, "needs 2 to 11 outputs"},
      {"SpiralOfTwelveArms", "", "generate spiral --samples 99 --features 2 --outputs 12" + rest,
       "needs 2 to 11 outputs"},
      {"SpiralWithAnEmptyArm", "", "generate spiral --samples 2 --features 2 --outputs 3" + rest,
       "spiral needs a sample for each of its 3 arms"},
      {"NegativeNoise", "", "generate teacher --noise=-1" + sizes + rest,
       "noise must be between 0 and 1e6, not -1"},
      {"NanNoise", "", "generate teacher --noise nan" + sizes + rest, "noise must be between"},
      {"InfiniteNoise", "", "generate teacher --noise inf" + sizes + rest, "noise must be between"},
      {"NegativeSeedOfATable", "", "generate teacher --out t.csv --seed=-1" + sizes,
       "--seed must be at least 0, not -1"},
      {"TableBeyondMemory", "",
       "generate teacher --samples 1000000000000 --features 1000 --outputs 3" + rest,
       "1000000000000 x (1000 + 3) numbers needs 8.0 PB of memory"},
      {"TableBeyondIntegers", "",
       "generate random --samples 9223372036854775807 --features 9223372036854775807 --outputs "
       "9223372036854775807" +
           rest,
       "of memory"},
      {"TableOntoAFolder", "", "generate teacher --seed 1 --out folder" + sizes,
       "folder: is a folder, not a file"},
      {"TableOntoADevice", "", "generate teacher --seed 1 --out /dev/full" + sizes,
       "/dev/full: is not a regular file"},
      {"TableIntoNowhere", "", "generate teacher --seed 1 --out no/such/t.csv" + sizes,
       "no/such/t.csv: cannot be written (No such file or directory)"},
      {"TableBelowAFile", "", "generate teacher --seed 1 --out good.csv/t.csv" + sizes,
       "good.csv/t.csv: cannot be written"},
      {"TwoRecipes", "", "generate teacher random" + sizes + rest, "random"},
  };
}

class HostileInput : public testing::TestWithParam<Hostile> {};

std::map<std::string, std::string> everything_in(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    files[entry.path().string()] = entry.is_regular_file() ? content_of(entry.path()) : "";
  return files;
}

TEST_P(HostileInput, EndsInOneSentenceAndLeavesNothingBehind) {
  const TemporaryFolder folder;
  folder.write("good.csv", kTable);
  folder.write("x.csv", "a,b\n1,2\n");
  folder.write("net.safetensors", model());
  folder.write("y.npy", npy("<f8", "(2, 1)", {1, 2}));
  fs::create_directory(folder / "folder");
  folder.write("folder/notes.txt", "precious");
  fs::create_directory(folder / "result");
  folder.write("result/result.json", R"({"program": "relulift", "version": "0"})");
  folder.write("result/trace.csv", kTable);
  fs::create_symlink("result/trace.csv", folder / "link.csv");
  if (!GetParam().bad.empty()) folder.write("bad", GetParam().bad);
  const auto before = everything_in(folder.path());

  const Outcome outcome = run_program(folder.path(), GetParam().arguments);

  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err.rfind("relulift: ", 0), 0U) << outcome.err;
  EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << outcome.err;
  EXPECT_NE(outcome.err.find(GetParam().sentence), std::string::npos) << outcome.err;
  EXPECT_TRUE(everything_in(folder.path()) == before);
}

const auto kName = [](const auto& info) { return info.param.name; };
INSTANTIATE_TEST_SUITE_P(Tables, HostileInput, testing::ValuesIn(tables()), kName);
INSTANTIATE_TEST_SUITE_P(Usage, HostileInput, testing::ValuesIn(usage()), kName);
INSTANTIATE_TEST_SUITE_P(Generations, HostileInput, testing::ValuesIn(generations()), kName);
INSTANTIATE_TEST_SUITE_P(Models, HostileInput, testing::ValuesIn(models()), kName);

}  // namespace
}  // namespace relulift::test
