// SPDX-License-Identifier: Apache-2.0
// relulift report as a user runs it. Pages are read back by a small parser of tags, and what they
// say is compared with what other subcommands say.
#include <cmath>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/files.hpp"
#include "tests/support/html.hpp"
#include "tests/support/program.hpp"

namespace relulift::test {
namespace {

using Json = nlohmann::ordered_json;

std::string bundled(const std::string& name) {
  const char* folder = std::getenv("RELULIFT_DATA");
  if (folder == nullptr) throw std::runtime_error("RELULIFT_DATA is not set");
  return (fs::path(folder) / name).string();
}

class CliReport : public testing::Test {
 protected:
  Outcome run(const std::string& arguments) { return run_program(folder.path(), arguments); }
  // Trains for a moment, without a relaxation.
  Outcome train(const std::string& arguments) {
    return run("train " + arguments + " --weight-decay 0.1 --engine none --time-limit 1");
  }
  std::string page(const std::string& name = "r/report.html") { return content_of(folder / name); }
  Json json(const std::string& name) { return Json::parse(content_of(folder / name)); }

  // What every page promises.
  static void expect_self_contained(const std::string& html) {
    EXPECT_NO_THROW(tags_of(html));
    for (const char* word :
         {"http:", "https:", "src=", "href=", "url(", "@import", "<script", "<img", "onload",
          "nan\"", "nan%", "nan ", ">nan", "inf\"", "inf%", ">inf"})
      EXPECT_EQ(html.find(word), std::string::npos) << word;
    for (const Tag& tag : tags_of(html)) {
      if (tag.name == "svg" && tag.attributes.contains("role")) {
        EXPECT_TRUE(tag.attributes.contains("aria-labelledby"));
      }
      if (tag.name == "th") {
        EXPECT_TRUE(tag.attributes.contains("scope"));
      }
    }
  }

  TemporaryFolder folder;
};

TEST_F(CliReport, SaysWhatTheRunSaidAndCountsAsPredictCounts) {
  const Outcome trained = train(bundled("iris_train.csv") + " --target species --out r --test " +
                                bundled("iris_test.csv"));
  ASSERT_EQ(trained.code, 0) << trained.err;

  const Outcome reported = run("report r");

  ASSERT_EQ(reported.code, 0) << reported.err;
  EXPECT_EQ(reported.out, "Wrote r/report.html.\n");
  const std::string html = page();
  expect_self_contained(html);
  const std::size_t from = trained.out.find("No two-layer");
  EXPECT_NE(html.find(trained.out.substr(from, trained.out.size() - from - 1)), std::string::npos);
  for (const char* name : {"sepal_length", "petal_width", "versicolor", "iris_test.csv"})
    EXPECT_NE(html.find(name), std::string::npos) << name;

  // The cells of the two confusion matrices against the table of predict.
  std::vector<int> expected;
  for (const char* data : {"iris_train.csv", "iris_test.csv"}) {
    const std::map<std::string, std::size_t> index{
        {"setosa", 0}, {"versicolor", 1}, {"virginica", 2}};
    std::istringstream answers(run("predict r/model.safetensors " + bundled(data)).out);
    std::istringstream rows(content_of(bundled(data)));
    std::vector<int> counts(9, 0);
    std::string answer, row;
    std::getline(answers, answer);
    std::getline(rows, row);
    while (std::getline(answers, answer) && std::getline(rows, row))
      ++counts[3 * index.at(row.substr(row.rfind(',') + 1)) +
               index.at(answer.substr(0, answer.find(',')))];
    expected.insert(expected.end(), counts.begin(), counts.end());
  }
  std::vector<int> shown;
  for (const Tag& tag : tags_of(html))
    if (tag.name == "td" && tag.attributes.contains("style")) shown.push_back(std::stoi(tag.text));
  EXPECT_EQ(shown, expected);
  EXPECT_EQ(count_class(tags_of(html), "rect", "full"),
            std::min(json("r/result.json")["neurons"].get<std::size_t>(), std::size_t{60}) +
                count_class(tags_of(html), "svg", "bar"));
}

// The colour under a training row is that of the class that predict answers, but for rows within a
// cell of a border.
TEST_F(CliReport, DecisionRegionsAreThoseOfTheModel) {
  ASSERT_EQ(train(bundled("spiral.csv") + " --targets y0,y1,y2 --out r").code, 0);
  ASSERT_EQ(run("report r").code, 0);
  const std::string html = page();
  expect_self_contained(html);

  struct Rect {
    double x, y, width, height;
    std::string css;
  };
  std::vector<Rect> regions;
  std::vector<std::pair<double, double>> marks;  // circles alone: class 0
  bool inside = false;
  for (const Tag& tag : tags_of(html)) {
    const auto value = [&](const char* name) { return std::stod(tag.attributes.at(name)); };
    const auto css = tag.attributes.find("class");
    if (css == tag.attributes.end()) continue;
    if (tag.name == "g") inside = css->second == "region";
    if (tag.name == "rect" && inside && css->second[0] == 't')
      regions.push_back({value("x"), value("y"), value("width"), value("height"), css->second});
    if (tag.name == "circle" && css->second.rfind("mark", 0) == 0 && value("r") < 5.0)
      marks.emplace_back(value("cx"), value("cy"));
  }
  double area = 0.0;
  for (const Rect& r : regions) area += r.width * r.height;
  EXPECT_NEAR(area, 420.0 * 420.0, 0.02 * 420.0 * 420.0);
  std::istringstream answers(run("predict r/model.safetensors " + bundled("spiral.csv")).out);
  std::string line;
  std::getline(answers, line);
  int agree = 0;
  ASSERT_EQ(marks.size(), 20U);  // the first arm
  for (const auto& [x, y] : marks) {
    std::getline(answers, line);
    std::istringstream fields(line);
    std::vector<double> scores;
    for (std::string field; std::getline(fields, field, ',');) scores.push_back(std::stod(field));
    const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
    for (const Rect& r : regions)
      if (x >= r.x && x < r.x + r.width && y >= r.y && y < r.y + r.height)
        agree += r.css == "t" + std::to_string(best);
  }
  EXPECT_GE(agree, 17);
}

TEST_F(CliReport, NumericTargetsAreDrawnAgainstPredictions) {
  ASSERT_EQ(train(bundled("random_00.csv") + " --targets y0,y1,y2,y3,y4 --out r").code, 0);
  ASSERT_EQ(run("report r --out elsewhere.html").code, 0);
  const std::string html = page("elsewhere.html");
  expect_self_contained(html);
  EXPECT_EQ(count_class(tags_of(html), "circle", "dot"), 5U * 25U);
  EXPECT_FALSE(fs::exists(folder / "r/report.html"));
}

TEST_F(CliReport, NamesOfAUserFileAreTextAndNothingElse) {
  folder.write(
      "<img src=x>.csv",
      "<script>alert(1)</script>,\"a\"\" onload=\"\"x\",</style><script>\n"
      "1,2,<script>\n3,4,\"\"\"><img src=x onerror=alert(1)>\"\n5,7,&amp;\n6,1,<script>\n");
  const Outcome trained =
      Program(folder.path(), {"train", "<img src=x>.csv", "--target", "</style><script>",
                              "--weight-decay", "0.1", "--engine", "none", "--out", "r"})
          .wait();
  ASSERT_EQ(trained.code, 0) << trained.err;
  ASSERT_EQ(run("report r").code, 0);
  const std::string html = page();
  EXPECT_NO_THROW(tags_of(html));
  for (const char* word : {"<script", "<img", "onerror=alert(1)>", "\" onload"})
    EXPECT_EQ(html.find(word), std::string::npos) << word;
  EXPECT_EQ(html.find("</style>"), html.rfind("</style>"));
  EXPECT_NE(html.find("&lt;script&gt;"), std::string::npos);
  EXPECT_NE(html.find("&amp;amp;"), std::string::npos);
}

TEST_F(CliReport, ATableThatIsGoneLeavesASentenceAndOneThatIsGivenIsTaken) {
  fs::copy_file(bundled("spiral.csv"), folder / "t.csv");
  ASSERT_EQ(train("t.csv --targets y0,y1,y2 --out r").code, 0);
  fs::rename(folder / "t.csv", folder / "moved.csv");

  const Outcome without = run("report r");
  EXPECT_EQ(without.code, 0);
  EXPECT_NE(without.out.find("t.csv: cannot be opened"), std::string::npos) << without.out;
  expect_self_contained(page());
  EXPECT_NE(page().find("t.csv: cannot be opened"), std::string::npos);
  EXPECT_EQ(count_class(tags_of(page()), "g", "region"), 0U);

  EXPECT_EQ(run("report r --data moved.csv").code, 0);
  EXPECT_EQ(count_class(tags_of(page()), "g", "region"), 1U);
}

TEST_F(CliReport, ATableOfOtherRowsIsNotTakenForTheOneOfTheRun) {
  fs::copy_file(bundled("spiral.csv"), folder / "t.csv");
  ASSERT_EQ(train("t.csv --targets y0,y1,y2 --out r").code, 0);
  std::string rows = content_of(folder / "t.csv");
  rows += rows.substr(rows.rfind('\n', rows.size() - 2) + 1);
  folder.write("t.csv", rows);

  EXPECT_EQ(run("report r").code, 0);
  EXPECT_NE(page().find("is not the table of the run"), std::string::npos);
  const Outcome given = run("report r --data t.csv");
  EXPECT_EQ(given.code, 2);
  EXPECT_NE(given.err.find("t.csv: is not the table of the run"), std::string::npos) << given.err;
}

TEST_F(CliReport, InputsAreNotOverwrittenAndTheFolderCanBeTrainedIntoAgain) {
  fs::copy_file(bundled("spiral.csv"), folder / "t.csv");
  ASSERT_EQ(train("t.csv --targets y0,y1,y2 --out r").code, 0);
  const std::string before = content_of(folder / "t.csv");
  for (const char* target : {"t.csv", "r/result.json", "r/trace.csv", "r/model.safetensors"}) {
    const Outcome outcome = run(std::string("report r --out ") + target);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_NE(outcome.err.find("is an input and is not overwritten"), std::string::npos);
  }
  EXPECT_EQ(content_of(folder / "t.csv"), before);
  ASSERT_EQ(run("report r").code, 0);
  EXPECT_EQ(train("t.csv --targets y0,y1,y2 --out r").code, 0);
  EXPECT_FALSE(fs::exists(folder / "r/report.html"));  // of the earlier run
}

TEST_F(CliReport, AnInterruptedRunHasAReportToo) {
  Program program(folder.path(), {"train", bundled("breast_cancer.csv"), "--target", "diagnosis",
                                  "--weight-decay", "0.1", "--gap", "0", "--out", "r"});
  ASSERT_TRUE(program.wait_for_error_output("objective"));
  program.send(SIGINT);
  ASSERT_EQ(program.wait().code, 4);

  ASSERT_EQ(run("report r").code, 0);
  expect_self_contained(page());
  EXPECT_NE(page().find("stopped because it was interrupted"), std::string::npos);
}

TEST_F(CliReport, ANetworkWithoutNeuronsHasAReportToo) {
  folder.write("t.csv", "a,b,y\n1,2,0\n3,1,0\n-1,4,0\n");
  ASSERT_EQ(train("t.csv --targets y --out r").code, 0);
  ASSERT_EQ(run("report r").code, 0);
  expect_self_contained(page());
  EXPECT_NE(page().find("The network has no neurons"), std::string::npos);
}

// As versions wrote it before there were programs over patterns: nothing of them in result.json,
// and no column for their bound between the others.
TEST_F(CliReport, AResultOfAnEarlierVersionMakesTheSamePage) {
  ASSERT_EQ(train(bundled("spiral.csv") + " --targets y0,y1,y2 --out r").code, 0);
  ASSERT_EQ(run("report r").code, 0);
  const std::string today = page();
  Json result = Json::parse(content_of(folder / "r/result.json"));
  for (const char* field : {"method", "program_bound", "convex_program"}) result.erase(field);
  folder.write("r/result.json", result.dump());
  std::istringstream trace(content_of(folder / "r/trace.csv"));
  std::string older;
  for (std::string line; std::getline(trace, line);) {
    std::size_t from = 0;
    for (int k = 0; k < 5; ++k)
      from = line.find(',', from) + 1;  // the sixth field, empty but named
    older += line.erase(from, line.find(',', from) + 1 - from) + "\n";
  }
  ASSERT_EQ(older.rfind("phase,iteration,objective,lower_bound,relative_gap,primal_residual,"
                        "dual_residual,seconds\n",
                        0),
            0U);
  folder.write("r/trace.csv", older);

  const Outcome outcome = run("report r");

  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(page(), today);
}

TEST_F(CliReport, EachBrokenFieldIsOneSentenceAndNoPage) {
  ASSERT_EQ(train(bundled("spiral.csv") + " --targets y0,y1,y2 --out good").code, 0);
  struct Case {
    const char* file;
    std::function<std::string(std::string)> change;
    const char* sentence;
  };
  const auto field = [](std::function<void(Json&)> change) {
    return [change](const std::string& content) {
      Json result = Json::parse(content);
      change(result);
      return result.dump();
    };
  };
  const auto put = [](std::string text) { return [text](const std::string&) { return text; }; };
  const std::vector<Case> cases{
      {"result.json", put("{\"a\": [1"), "r/result.json: is no JSON object"},
      {"result.json", put("[]"), "r/result.json: is no JSON object"},
      {"result.json", put("{}"), "r/result.json: field 'program' is missing"},
      {"result.json", field([](Json& j) { j["program"] = "other"; }), "field 'program' is not"},
      {"result.json", field([](Json& j) { j.erase("bounds"); }), "field 'bounds' is missing"},
      {"result.json", field([](Json& j) { j["bounds"][0] = 3; }), "field 'bounds[0]' is not an"},
      {"result.json", field([](Json& j) { j["bounds"][0]["at"] = "x"; }),
       "field 'bounds[0].at' is not a number"},
      {"result.json", field([](Json& j) { j["status"] = "fine"; }), "field 'status' has none"},
      {"result.json", field([](Json& j) { j["objective"] = "1"; }), "field 'objective' is neither"},
      {"result.json", field([](Json& j) { j["lower_bound"] = nullptr; }),
       "field 'lower_bound' is not a number"},
      {"result.json", field([](Json& j) { j["problem"]["samples"] = -1; }),
       "field 'problem.samples' is not a whole number"},
      {"result.json", field([](Json& j) { j["problem"] = 1; }), "field 'problem' is not an object"},
      {"result.json", field([](Json& j) { j["neurons"] = 1000; }), "result.json states 1000"},
      {"result.json", field([](Json& j) {
         j["suggestion"] = {
             {"objective", 1}, {"reduction", 1}, {"u", {1}}, {"v", {1, 2, 3}}, {"bias", nullptr}};
       }),
       "field 'suggestion.u' is not a list of 2 numbers"},
      {"trace.csv", put("a,b\n"), "r/trace.csv:line 1: is not the header"},
      {"trace.csv", put("phase,objective,lower_bound\nnetwork,2,1\n"), "is not the header"},
      {"trace.csv", [](const std::string& text) { return text + "network,1,2\n"; },
       ": has 3 fields, 9 are needed"},
      {"trace.csv", [](const std::string& text) { return text + "magic,1,2,1,,,,,3\n"; },
       "column 'phase': cannot be understood"},
      {"trace.csv", [](const std::string& text) { return text + "network,1,2,x,,,,,3\n"; },
       "column 'lower_bound': cannot be understood"},
      {"trace.csv", [](const std::string& text) { return text + "network,1,2,1,,,,,\n"; },
       "column 'seconds': cannot be understood"},
      {"trace.csv", put(""), "r/trace.csv: is empty"},
      {"model.safetensors", put("12345678"), "r/model.safetensors"}};
  for (const Case& each : cases) {
    fs::remove_all(folder / "r");
    fs::copy(folder / "good", folder / "r");
    folder.write("r/report.html", "before");
    folder.write(std::string("r/") + each.file, each.change(content_of(folder / "r" / each.file)));

    const Outcome outcome = run("report r");

    EXPECT_EQ(outcome.code, 2) << each.sentence;
    EXPECT_NE(outcome.err.find(each.sentence), std::string::npos) << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_EQ(page(), "before");
    EXPECT_EQ(std::distance(fs::directory_iterator(folder / "r"), {}), 5);  // the certificate too
  }
  for (const char* file : {"result.json", "trace.csv", "model.safetensors"}) {
    fs::remove_all(folder / "r");
    fs::copy(folder / "good", folder / "r");
    fs::remove(folder / "r" / file);
    const Outcome outcome = run("report r");
    EXPECT_EQ(outcome.code, 2);
    EXPECT_NE(outcome.err.find(std::string("r/") + file + ": cannot be opened"), std::string::npos)
        << outcome.err;
  }
  EXPECT_EQ(run("report absent").code, 2);
}

}  // namespace
}  // namespace relulift::test
