// Pins what a catalogue answers: additions, replacements, removals, filters, several vectors,
// attachments, reopening and compaction.
#include "vmr/retrieval/catalogue.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "retrieval/catalogue_fixture.h"

namespace vmr::retrieval {
namespace {

class CatalogueTest : public CatalogueFolder {};

// What search must return: the scores of the tracks in the order of adding, sorted stably.
std::vector<std::pair<std::string, float>> by_sorting(const std::vector<int64_t>& numbers,
                                                      size_t top, int64_t vectors = 1) {
  std::vector<std::pair<std::string, float>> all;
  const at::Tensor q = query(vectors);
  for (const int64_t number : numbers) {
    const CatalogueTracks one = tracks(number, 1, vectors);
    float sum = 0;
    for (int64_t d = 0; d < vectors * kDim; ++d)
      sum += one.vectors.data_ptr<float>()[d] * q.data_ptr<float>()[d];
    all.emplace_back(one.ids[0], sum / static_cast<float>(vectors));
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  all.resize(std::min(all.size(), top));
  return all;
}

std::vector<std::pair<std::string, float>> found(const std::vector<CatalogueHit>& hits) {
  std::vector<std::pair<std::string, float>> result;
  for (const CatalogueHit& hit : hits) result.emplace_back(hit.id, hit.score);
  return result;
}

std::vector<int64_t> numbers(int64_t first, int64_t count) {
  std::vector<int64_t> result;
  for (int64_t i = 0; i < count; ++i) result.push_back(first + i);
  return result;
}

TEST_F(CatalogueTest, FindsWhatWasAddedAlsoAfterReopening) {
  auto catalogue = create();
  EXPECT_TRUE(catalogue->search(query()).empty());
  catalogue->add(tracks(0, 50));
  catalogue->add(tracks(50, 3));
  catalogue->add(tracks(53, 1));
  const auto expected = by_sorting(numbers(0, 54), 12);
  EXPECT_EQ(found(catalogue->search(query(), {.top = 12})), expected);
  EXPECT_EQ(found(catalogue->search(query(), {.top = 12, .threads = 3})), expected);
  const auto again = Catalogue::open(folder());
  EXPECT_EQ(found(again->search(query(), {.top = 12})), expected);
  EXPECT_EQ(again->search(query(), {.top = 1000}).size(), 54u);
  const auto row = again->find("t53");
  ASSERT_TRUE(row.has_value());
  EXPECT_EQ(row->index, 53);
  EXPECT_EQ(row->metadata,
            nlohmann::json::parse(R"({"id":"t53","title":"Track 53","bpm":113,"tags":["wild"]})"));
  EXPECT_EQ(again->snapshot()->vectors(53).data_ptr<float>()[1], (53 * 7 + 5) % 11 - 5);
  EXPECT_FALSE(again->find("t54").has_value());
  EXPECT_EQ(again->stats().tracks, 54);
  EXPECT_EQ(again->stats().generation, 4);
}

TEST_F(CatalogueTest, RemovesAndReplaces) {
  auto catalogue = create();
  catalogue->add(tracks(0, 20));
  EXPECT_EQ(catalogue->remove({"t3", "t4", "nobody", "t3"}), 2);
  EXPECT_EQ(catalogue->remove({"nobody"}), 0);
  std::vector<int64_t> left = numbers(0, 3);
  for (const int64_t n : numbers(5, 15)) left.push_back(n);
  EXPECT_EQ(found(catalogue->search(query(), {.top = 100})), by_sorting(left, 100));
  EXPECT_FALSE(catalogue->find("t3").has_value());
  EXPECT_THROW(catalogue->snapshot()->row(3), InvalidArgument);

  // t7 again, with other vectors and metadata: it moves to the end.
  CatalogueTracks other = tracks(100, 1);
  other.ids = {"t7"};
  other.metadata = {{{"title", "New"}}};
  catalogue->add(other);
  EXPECT_EQ(catalogue->stats().tracks, 18);
  EXPECT_EQ(catalogue->find("t7")->metadata["title"], "New");
  EXPECT_EQ(catalogue->list().back().id, "t7");
  EXPECT_EQ(catalogue->search(query(), {.top = 100}).size(), 18u);
}

TEST_F(CatalogueTest, FiltersReturnTheBestOfWhatMatches) {
  auto catalogue = create();
  catalogue->add(tracks(0, 70));
  catalogue->add(tracks(70, 20));
  catalogue->remove({"t10", "t80"});
  std::vector<int64_t> wanted;
  for (const int64_t n : numbers(0, 90))
    if (n % 2 == 0 && n >= 5 && n <= 85 && n != 10 && n != 80) wanted.push_back(n);
  const SearchOptions options{.top = 15, .filter = Filter::parse("tags:calm bpm:65..145")};
  EXPECT_EQ(found(catalogue->search(query(), options)), by_sorting(wanted, 15));
  EXPECT_EQ(catalogue->list(options.filter).size(), wanted.size());
  EXPECT_EQ(catalogue->list(options.filter, 4).size(), 4u);
  EXPECT_EQ(found(catalogue->search(query(), {.filter = Filter::parse("id=t81")})),
            by_sorting({81}, 1));
  EXPECT_TRUE(catalogue->search(query(), {.filter = Filter::parse("nothing=1")}).empty());
}

TEST_F(CatalogueTest, AveragesSeveralVectorsAndAnswersBatches) {
  auto catalogue = create(3);
  catalogue->add(tracks(0, 40, 3));
  EXPECT_EQ(found(catalogue->search(query(3), {.top = 9})), by_sorting(numbers(0, 40), 9, 3));
  const auto batch = at::empty({2, 3, kDim}, at::kFloat);
  batch.select(0, 0).copy_(query(3));
  batch.select(0, 1).copy_(query(3).neg());
  const auto answers = catalogue->snapshot()->search_batch(batch, {.top = 9});
  EXPECT_EQ(answers[0], catalogue->search(query(3), {.top = 9}));
  EXPECT_EQ(answers[1], catalogue->search(query(3).neg(), {.top = 9}));
  EXPECT_EQ(catalogue->search(query(1), {.top = 9}).size(), 9u);  // one vector meets all three
}

TEST_F(CatalogueTest, RefusesAnotherSpaceAndBadTracks) {
  auto catalogue = create();
  CatalogueTracks bad = tracks(0, 2);
  bad.space = "space-b";
  EXPECT_NE(
      message_of([&] { catalogue->add(bad); }).find("space space-b, the catalogue in space-a"),
      std::string::npos);
  EXPECT_THROW(catalogue->search(query(), {.space = "space-b"}), InvalidArgument);
  EXPECT_NO_THROW(catalogue->search(query(), {.space = "space-a"}));
  bad = tracks(0, 2);
  bad.vectors.data_ptr<float>()[kDim] = std::nanf("");
  EXPECT_EQ(message_of([&] { catalogue->add(bad); }),
            "catalogue: the vectors of t1 hold NaN or infinity");
  bad = tracks(0, 2);
  bad.ids[1] = "t0";
  EXPECT_THROW(catalogue->add(bad), InvalidArgument);
  bad.ids[1] = "";
  EXPECT_THROW(catalogue->add(bad), InvalidArgument);
  bad.ids[1] = "\xff";
  EXPECT_THROW(catalogue->add(bad), InvalidArgument);
  bad = tracks(0, 2);
  bad.metadata[0] = 3;
  EXPECT_THROW(catalogue->add(bad), InvalidArgument);
  bad = tracks(0, 2);
  bad.vectors = bad.vectors.slice(2, 0, 5);
  EXPECT_THROW(catalogue->add(bad), InvalidArgument);
  EXPECT_THROW(catalogue->search(query().slice(1, 0, 5)), InvalidArgument);
  EXPECT_EQ(catalogue->stats().generation, 1);
  EXPECT_THROW(create(), StoreError);  // there is one already
}

TEST_F(CatalogueTest, KeepsFewFilesAndDropsRemovedRows) {
  auto catalogue = create();
  for (int64_t i = 0; i < 40; ++i) catalogue->add(tracks(i, 1));
  EXPECT_LE(catalogue->stats().segments, 6);
  EXPECT_EQ(found(catalogue->search(query(), {.top = 40})), by_sorting(numbers(0, 40), 40));
  std::vector<std::string> ids;
  for (int64_t i = 0; i < 30; ++i) ids.push_back("t" + std::to_string(i));
  catalogue->remove(ids);
  EXPECT_LE(catalogue->stats().removed_rows, 10);
  catalogue->compact();
  EXPECT_EQ(catalogue->stats().segments, 1);
  EXPECT_EQ(catalogue->stats().removed_rows, 0);
  EXPECT_EQ(found(catalogue->search(query(), {.top = 40})), by_sorting(numbers(30, 10), 40));
  catalogue->remove({"t30", "t31", "t32", "t33", "t34", "t35", "t36", "t37", "t38", "t39"});
  EXPECT_EQ(catalogue->stats().segments, 0);
  EXPECT_EQ(Catalogue::open(folder())->stats().tracks, 0);
}

TEST_F(CatalogueTest, ASnapshotStaysAsItWas) {
  auto catalogue = create();
  catalogue->add(tracks(0, 30));
  const auto before = catalogue->snapshot();
  const auto hits = before->search(query(), {.top = 30});
  for (int64_t i = 0; i < 5; ++i) {
    catalogue->remove({"t" + std::to_string(i)});
    catalogue->add(tracks(100 + i * 40, 40));
    catalogue->compact();
  }
  EXPECT_EQ(before->search(query(), {.top = 30}), hits);
  EXPECT_EQ(before->row(0).id, "t0");
  EXPECT_EQ(catalogue->stats().tracks, 225);
}

TEST_F(CatalogueTest, CarriesAttachmentsWithTheirHashes) {
  auto catalogue = create();
  catalogue->add(tracks(0, 3));
  const auto outside = folder_ / "weights.bin";
  write_text(outside, std::string(5000, 'w'));
  catalogue->attach({{"recipe.json", {.bytes = "{}"}}, {"model/weights.bin", {.path = outside}}});
  catalogue->attach({{"recipe.json", {.bytes = "abc"}}});
  std::filesystem::remove(outside);
  const auto again = Catalogue::open(folder());
  EXPECT_EQ(again->attachments().at("recipe.json"), "ba7816bf8f01cfea414140de5dae2223");
  ASSERT_TRUE(again->attachment_path("model/weights.bin").has_value());
  EXPECT_EQ(std::filesystem::file_size(*again->attachment_path("model/weights.bin")), 5000u);
  EXPECT_EQ(again->attachment_path("model/weights.bin")->parent_path().filename(), "model");
  EXPECT_FALSE(again->attachment_path("nothing").has_value());
  EXPECT_EQ(again->stats().tracks, 3);
  for (const char* name : {"../x", "/x", "", "a/../b", "a/"})
    EXPECT_THROW(catalogue->attach({{name, {.bytes = ""}}}), InvalidArgument) << name;
  EXPECT_THROW(catalogue->attach({{"x", {}}}), InvalidArgument);
  EXPECT_THROW(catalogue->attach({{"x", {.path = outside}}}), StoreError);
}

}  // namespace
}  // namespace vmr::retrieval
