#include "text/unigram.h"

#include <dlfcn.h>

#include <filesystem>
#include <memory>

#include "text/unigram_plugin.h"
#include "vmr/core/error.h"

namespace vmr::text::detail {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFairseqFirst[] = {"<s>", "<pad>", "</s>", "<unk>"};
constexpr const char* kPlugin = "libvmr_unigram.so";

// Beside the library or program this code is in, or where it was built.
// Beside this library, else where the loader looks for it.
fs::path find_plugin() {
  Dl_info here{};
  if (dladdr(reinterpret_cast<const void*>(&find_plugin), &here) != 0 && here.dli_fname) {
    std::error_code error;
    const auto beside = fs::canonical(here.dli_fname, error).parent_path() / kPlugin;
    if (!error && fs::exists(beside)) return beside;
  }
  return kPlugin;
}

const VmrUnigramFunctions& plugin() {
  static const VmrUnigramFunctions functions = [] {
    const auto path = find_plugin();
    // Its names stay its own, and it prefers its own to those of the program.
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    if (library == nullptr) {
      const char* reason = dlerror();
      throw StoreError(std::string("open_tokenizer: cannot load ") + kPlugin + ": " +
                       (reason ? reason : "unknown reason") +
                       "; it belongs beside libvmr.so (cmake --install puts it there)");
    }
    const auto entry =
        reinterpret_cast<VmrUnigramFunctions (*)()>(dlsym(library, "vmr_unigram_functions"));
    if (entry == nullptr) {
      throw StoreError("open_tokenizer: " + path.string() + " is not libvmr's");
    }
    return entry();
  }();
  return functions;
}

class Unigram final : public Tokenizer {
 public:
  Unigram(const std::string& model, UnigramIds ids, SpecialTokens special,
          const std::string& source)
      : ids_(ids), special_(ids == UnigramIds::fairseq ? SpecialTokens{0, 2, 1, 3} : special) {
    char error[512] = "";
    model_.reset(plugin().open(model.data(), model.size(), error, sizeof error));
    if (!model_) {
      throw StoreError("open_tokenizer: " + source + " is no sentencepiece model: " + error);
    }
  }

  std::string piece(int64_t id) const override {
    VMR_CHECK(id >= 0 && id < size(), "Tokenizer::piece: id ", id, ", expected in [0, ", size(),
              ")");
    if (ids_ == UnigramIds::same) return plugin().piece(model_.get(), id);
    if (id < 4) return kFairseqFirst[id];
    return id + 1 == size() ? "<mask>" : plugin().piece(model_.get(), id - 1);
  }

  // <pad> and <mask> are not in the model.
  int64_t size() const override {
    return plugin().size(model_.get()) + (ids_ == UnigramIds::fairseq ? 2 : 0);
  }

  SpecialTokens special() const override { return special_; }

 protected:
  std::vector<int64_t> encode_pieces(std::string_view text) const override {
    struct Taken {
      std::vector<int64_t> ids;
      int64_t unknown, offset;
    } taken{{}, special_.unknown, ids_ == UnigramIds::fairseq ? 1 : 0};
    const auto take = [](void* context, int64_t id, bool unknown) {
      auto& into = *static_cast<Taken*>(context);
      into.ids.push_back(unknown ? into.unknown : id + into.offset);
    };
    const bool cut = plugin().encode(model_.get(), text.data(), text.size(), take, &taken);
    VMR_ASSERT(cut, "Tokenizer::encode: sentencepiece cannot cut a text of ", text.size(),
               " bytes");
    return std::move(taken.ids);
  }

 private:
  struct Close {
    void operator()(VmrUnigram* model) const { plugin().close(model); }
  };
  std::unique_ptr<VmrUnigram, Close> model_;
  UnigramIds ids_;
  SpecialTokens special_;
};

}  // namespace

std::unique_ptr<Tokenizer> make_unigram(const std::string& model, UnigramIds ids,
                                        SpecialTokens special, const std::string& source) {
  return std::make_unique<Unigram>(model, ids, special, source);
}

}  // namespace vmr::text::detail
