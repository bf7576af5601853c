// vmr table: trains and evaluates a set of systems over seeds and tests the claims made of them.
#include "vmr/pipeline/table.h"

#include <fstream>
#include <iostream>
#include <memory>

#include "builtin_recipes.h"
#include "number_checks.h"
#include "recipe_files.h"
#include "shared.h"
#include "vmr/core/error.h"
#include "vmr/core/json_reader.h"

namespace vmr::apps {
namespace {

struct Options {
  Common common;
  std::string spec = "ut_cmvmr", store, out;
  pipeline::TableOptions table;
};

pipeline::TableSpec find_spec(const std::string& text) {
  for (const auto& [name, json] : kBuiltinTables) {
    if (text == name) {
      return pipeline::parse_table_spec(nlohmann::json::parse(json), text + ".json", find_recipe);
    }
  }
  if (std::filesystem::exists(text)) {
    return pipeline::parse_table_spec(read_json_file(text), text, find_recipe);
  }
  std::string known;
  for (const auto& [name, json] : kBuiltinTables) {
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  throw InvalidArgument("no table file \"" + text +
                        "\", and no table of that name (built in: " + known + ")");
}

void write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) throw StoreError("table: cannot write " + path.string() + "; check path and rights");
}

int run(Options options) {
  const auto spec = find_spec(options.spec);
  options.table.device = options.common.device;
  const std::filesystem::path out = options.out;
  const auto table = pipeline::results_table(spec, options.store, out, options.table, control());
  end_progress();
  if (table.empty()) return kInterrupted;
  std::filesystem::create_directories(out);
  write_text(out / "table.json", table.dump(2) + "\n");
  write_text(out / "table.md", pipeline::table_markdown(table));
  write_text(out / "table.html", pipeline::table_html(table));
  if (options.common.json) {
    print_json(table);
  } else {
    std::cout << pipeline::table_markdown(table);
  }
  std::cerr << "table: " << (out / "table.html").string() << ", table.md and table.json\n";
  return kDone;
}

}  // namespace

Command add_table(CLI::App& root) {
  auto options = std::make_shared<Options>();
  auto* app = root.add_subcommand(
      "table", "train and evaluate a set of systems over seeds, with tests of which is better");
  add_common(*app, options->common);
  app->add_option("--spec", options->spec, "table file (JSON) or the name of a built-in one")
      ->capture_default_str();
  app->add_option("--store", options->store,
                  "feature store with the recipes' features; encoders it lacks are trained")
      ->required();
  app->add_option("--out", options->out, "folder of the runs and of table.json, .md and .html")
      ->required();
  app->add_option("--seeds", options->table.seeds, "runs of each system, seeds 1, 2, ...")
      ->capture_default_str()
      ->check(whole_number(1, 1000));
  app->add_option("--split", options->table.split, "split that is ranked")->capture_default_str();
  app->add_option("--truth", options->table.truth,
                  "folder of a generated library: its hidden truth's recall is the ceiling");
  add_footer(
      *app,
      "A second run goes on where the first stopped. A table file (docs/table_format.md):\n"
      "  {\"overrides\": {\"train\": {\"epochs\": 40}},\n"
      "   \"systems\": [{\"system\": \"CMVMR\", \"setting\": \"AE\", \"recipe\": \"cmvmr_ae\"},\n"
      "               {\"system\": \"UT-CMVMR\", \"setting\": \"SE\", \"recipe\": "
      "\"ut_cmvmr_se\",\n"
      "                \"overrides\": {\"model\": {\"theta_dim\": 64}}}],\n"
      "   \"comparisons\": [[\"UT-CMVMR SE\", \"CMVMR AE\"]]}");
  return {app, [options] { return run(*options); }, /*resumes=*/true};
}

}  // namespace vmr::apps
