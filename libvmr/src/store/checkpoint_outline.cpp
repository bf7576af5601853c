#include "store/checkpoint_outline.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <map>
#include <optional>
#include <set>

#include "store/byte_count.h"
#include "vmr/core/error.h"

namespace vmr::store {
namespace {

// A small file must not become a large result: Python's sharing of values lets ten nested lists
// stand for a million, and a stride of 0 lets one number stand for any tensor.
constexpr size_t kMaxVisits = 4'000'000, kMaxDepth = 200, kMaxName = 4096;
constexpr size_t kMaxTextBytes = 256'000'000;
constexpr double kMaxGrowth = 16, kMaxGrownBytes = 1e9;
constexpr size_t kMaxAxes = 64;

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

class Outliner {
 public:
  explicit Outliner(const Pickle& pickle)
      : pickle_(pickle), open_(pickle.nodes.size()), seen_(pickle.nodes.size()) {}

  CheckpointOutline run() {
    for (PickleRef ref = 0; ref < pickle_.nodes.size(); ++ref) {
      if (pickle_[ref].kind == PickleKind::persistent) add_storage(ref);
    }
    visit(pickle_.root, "", "", 0);
    if (outline_.tensors.empty() && !outline_.modules.empty()) {
      throw StoreError("not a state dict: the file holds the whole pickled module " +
                       outline_.modules[0].second +
                       "; in Python, save dict(model.state_dict()) instead");
    }
    if (outline_.tensors.empty() && !outline_.opaque.empty() && outline_.opaque[0].first.empty()) {
      throw StoreError("expected a dict of tensors, got an object of " + outline_.opaque[0].second +
                       ", which is not run");
    }
    check_growth();
    return std::move(outline_);
  }

 private:
  using Path = std::string;

  template <typename... Parts>
  [[noreturn]] static void fail(const Path& path, const Parts&... parts) {
    throw StoreError(detail::concat(path.empty() ? "the file" : path, ": ", parts...));
  }
  const PickleNode& node(PickleRef ref) const { return pickle_[ref]; }
  static bool is(const PickleNode& node, PickleKind kind) { return node.kind == kind; }

  // The argument at a place, null where there are fewer.
  const PickleNode* argument(const PickleNode& tuple, size_t place) const {
    return place < tuple.items.size() ? &node(tuple.items[place]) : nullptr;
  }
  std::string global_name(const PickleNode& global) const {
    return detail::concat(global.module, ".", global.text);
  }
  // What an object's maker is called; for the general makers, the class they make.
  std::string type_of(const PickleNode& object) const {
    const auto* callee = &node(object.items[0]);
    if (is(*callee, PickleKind::persistent)) {  // ("module", class, source file, source)
      const auto* type = argument(node(callee->items[0]), 1);
      if (type) callee = type;
    }
    if (!is(*callee, PickleKind::global)) return "the result of a call";
    const auto name = global_name(*callee);
    const auto* first = argument(node(object.items[1]), 0);
    const bool general = is_one_of(
        name, {"copyreg.__newobj__", "copyreg._reconstructor", "copy_reg._reconstructor"});
    return general && first && is(*first, PickleKind::global) ? global_name(*first) : name;
  }

  // --- storages ---
  // ("storage", class, key, device, count[, view]); the sources of modules are left aside.
  void add_storage(PickleRef ref) {
    const auto& identifier = node(node(ref).items[0]);
    const auto fault = [] { fail("", "a persistent identifier that is no storage"); };
    if (!is(identifier, PickleKind::tuple) || identifier.items.empty()) fault();
    const auto& kind = *argument(identifier, 0);
    if (kind.text == "module") return;
    if (identifier.items.size() < 5) fault();
    const auto& type = *argument(identifier, 1);
    const auto& key = *argument(identifier, 2);
    const auto& count = *argument(identifier, 4);
    if (kind.text != "storage" || !is(type, PickleKind::global) || type.text.empty() ||
        !is(key, PickleKind::text) || !is(count, PickleKind::integer) || count.integer < 0) {
      fault();
    }
    const auto* view = argument(identifier, 5);
    if (view && !is(*view, PickleKind::none)) fail("", "a storage within a storage is not read");
    StorageOutline storage{std::string(key.text), std::string(type.text), uint64_t(count.integer)};
    const auto element = std::find_if(
        std::begin(kElements), std::end(kElements),
        [&](const ElementType& candidate) { return storage.type == candidate.storage; });
    storage.known_type = element != std::end(kElements) || storage.type == "UntypedStorage";
    if (storage.known_type) {
      const uint64_t size = element != std::end(kElements) ? element->byte_count : 1;
      const auto bytes = byte_count(std::vector<int64_t>{count.integer}, size);
      if (!bytes) fail("", "a storage of ", count.integer, " elements");
      storage.byte_count = *bytes;
    }
    const auto [place, fresh] = storage_by_key_.emplace(storage.key, outline_.storages.size());
    storage_by_ref_[ref] = place->second;
    if (fresh) {
      outline_.storages.push_back(std::move(storage));
      return;
    }
    const auto& first = outline_.storages[place->second];
    if (first.type != storage.type || first.count != storage.count) {
      fail("", "storage ", first.key, " is both ", first.count, " of ", first.type, " and ",
           storage.count, " of ", storage.type);
    }
  }

  // --- the walk ---
  void visit(PickleRef ref, const Path& path, const Path& group, size_t depth) {
    if (++visits_ > kMaxVisits) fail("", "expected at most ", kMaxVisits, " values, got more");
    if (depth > kMaxDepth) fail(path.substr(0, 60), "nested deeper than ", kMaxDepth, " levels");
    if (open_[ref]) {
      add_opaque(path, "a circular reference");
      return;
    }
    open_[ref] = true;
    const auto& value = node(ref);
    switch (value.kind) {
      case PickleKind::dict:
        visit_dict(value, path, depth);
        break;
      case PickleKind::list:
      case PickleKind::tuple:
      case PickleKind::set:
        visit_list(value, path, depth);
        break;
      case PickleKind::object:
        visit_object(ref, path, group, depth);
        break;
      default:
        visit_plain(value, path);
    }
    open_[ref] = false;
  }

  void visit_plain(const PickleNode& value, const Path& path) {
    switch (value.kind) {
      case PickleKind::global:
        return add_opaque(path, global_name(value));
      case PickleKind::bytes:
        return add_opaque(path, "bytes");
      case PickleKind::long_int:
        return add_opaque(path, "an integer above 64 bits");
      case PickleKind::persistent:
        return add_opaque(path, "a storage");
      default:
        return add(outline_.values, path, *text_of(value));
    }
  }

  // The text of a plain value.
  static std::optional<std::string> text_of(const PickleNode& value) {
    switch (value.kind) {
      case PickleKind::none:
        return "null";
      case PickleKind::boolean:
        return value.integer != 0 ? "true" : "false";
      case PickleKind::integer:
        return std::to_string(value.integer);
      case PickleKind::text:
        return std::string(value.text);
      case PickleKind::real: {
        char digits[32];
        const auto end = std::to_chars(digits, std::end(digits), value.real).ptr;
        return std::string(digits, end);
      }
      default:
        return std::nullopt;
    }
  }

  static Path child(const Path& path, const std::string& key) {
    if (path.size() + key.size() >= kMaxName) {
      fail(path.substr(0, 60), "expected names of at most ", kMaxName, " bytes");
    }
    return path.empty() ? key : path + "." + key;
  }

  void visit_dict(const PickleNode& dict, const Path& path, size_t depth) {
    for (size_t i = 0; i + 1 < dict.items.size(); i += 2) {
      const auto key = text_of(node(dict.items[i]));
      visit(dict.items[i + 1], child(path, key ? *key : "#" + std::to_string(i / 2)), path,
            depth + 1);
    }
  }

  void visit_list(const PickleNode& list, const Path& path, size_t depth) {
    for (size_t i = 0; i < list.items.size(); ++i) {
      visit(list.items[i], child(path, std::to_string(i)), path, depth + 1);
    }
  }

  // Python 2 hands an OrderedDict its entries as a list of pairs.
  void visit_pairs(const PickleNode& pairs, const Path& path, size_t depth) {
    for (size_t i = 0; i < pairs.items.size(); ++i) {
      const auto& pair = node(pairs.items[i]);
      if (pair.items.size() != 2) fail(path, "expected pairs of key and value");
      const auto key = text_of(node(pair.items[0]));
      visit(pair.items[1], child(path, key ? *key : "#" + std::to_string(i)), path, depth + 1);
    }
  }

  void visit_object(PickleRef ref, const Path& path, const Path& group, size_t depth) {
    const auto& object = node(ref);
    const auto& arguments = node(object.items[1]);
    const auto type = type_of(object);
    const auto* first = argument(arguments, 0);
    if (type == "collections.OrderedDict" || type == "collections.defaultdict") {
      if (first && is(*first, PickleKind::list)) visit_pairs(*first, path, depth);
      if (object.entries != kNoPickleRef) visit_dict(node(object.entries), path, depth);
    } else if (first && is_one_of(type, {"torch.Size", "builtins.set", "builtins.frozenset",
                                         "__builtin__.set", "__builtin__.frozenset"})) {
      visit(arguments.items[0], path, group, depth + 1);
    } else if (first && is_one_of(type, {"torch._utils._rebuild_parameter",
                                         "torch._utils._rebuild_parameter_with_state"})) {
      visit(arguments.items[0], path, group, depth + 1);
    } else if (type == "torch._tensor._rebuild_from_type_v2") {
      const auto* inner = argument(arguments, 2);
      if (!inner || !is(*first, PickleKind::global) || !is(*inner, PickleKind::tuple)) {
        fail(path, "expected a tensor's maker and its arguments");
      }
      add_tensor(global_name(*first), *inner, path, group);
    } else if (type.starts_with("torch._utils._rebuild_") ||
               type.starts_with("torch._tensor._rebuild")) {
      add_tensor(type, arguments, path, group);
    } else {
      visit_foreign(ref, type, path, depth);
    }
  }

  // An object of a class unknown here: listed, and its fields looked through once.
  void visit_foreign(PickleRef ref, const std::string& type, const Path& path, size_t depth) {
    const auto& object = node(ref);
    if (modules_.contains(ref)) {
      add(outline_.modules, path, type);
      return;
    }
    if (seen_[ref]) {
      add_opaque(path, type);
      return;
    }
    seen_[ref] = true;  // a large object may be listed millions of times
    if (object.state != kNoPickleRef && is_module(node(object.state))) {
      modules_.insert(ref);
      add(outline_.modules, path, type);
      return;
    }
    add_opaque(path, type);
    for (const auto part : {object.state, object.entries, object.appended}) {
      if (part == kNoPickleRef) continue;
      const auto& value = node(part);
      if (is(value, PickleKind::dict)) visit_dict(value, path, depth);
      if (is(value, PickleKind::list)) visit_list(value, path, depth);
      if (!is(value, PickleKind::tuple)) continue;
      for (const auto item : value.items) {  // (fields, slots)
        if (is(node(item), PickleKind::dict)) visit_dict(node(item), path, depth);
      }
    }
  }

  bool is_module(const PickleNode& state) const {
    int found = 0;
    for (size_t i = 0; is(state, PickleKind::dict) && i < state.items.size(); i += 2) {
      const auto& key = node(state.items[i]);
      found += is(key, PickleKind::text) && is_one_of(key.text, {"_parameters", "_modules"});
    }
    return found >= 2;
  }

  // --- tensors ---
  void add_tensor(const std::string& maker, const PickleNode& arguments, const Path& path,
                  const Path& group) {
    if (!is_one_of(maker, {"torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2",
                           "torch._utils._rebuild_tensor_v3"})) {
      refuse_tensor(maker, path);
    }
    const auto storage =
        argument(arguments, 0) ? storage_by_ref_.find(arguments.items[0]) : storage_by_ref_.end();
    const auto* offset = argument(arguments, 1);
    if (storage == storage_by_ref_.end() || arguments.items.size() < 4 ||
        !is(*offset, PickleKind::integer) || offset->integer < 0) {
      fail(path, "expected a tensor's storage, offset, shape and strides");
    }
    TensorOutline tensor{path.empty() ? "tensor" : path, group, storage->second};
    tensor.offset = offset->integer;
    tensor.sizes = whole_numbers(node(arguments.items[2]), path, "shape");
    tensor.strides = whole_numbers(node(arguments.items[3]), path, "strides");
    const bool untyped = maker == "torch._utils._rebuild_tensor_v3";
    tensor.element = element_of(outline_.storages[tensor.storage],
                                untyped ? argument(arguments, 6) : nullptr, path);
    const auto* marks = argument(arguments, untyped ? 7 : 6);
    if (marks && is(*marks, PickleKind::dict) && !marks->items.empty()) {
      fail(path, "a lazily conjugated or negated tensor is not read; save x.resolve_conj()");
    }
    check_bounds(tensor);
    const auto [first, fresh] = place_by_name_.emplace(tensor.name, outline_.tensors.size());
    if (!fresh) {
      // A dict that shows its entries as fields too holds them twice.
      if (outline_.tensors[first->second] == tensor) return;
      fail(path, "this name occurs twice");
    }
    count_text(tensor.name.size() + tensor.group.size());
    outline_.tensors.push_back(std::move(tensor));
  }

  [[noreturn]] static void refuse_tensor(const std::string& maker, const Path& path) {
    const bool sparse = maker.ends_with("_sparse_tensor") || maker.ends_with("_sparse_csr_tensor");
    if (sparse) fail(path, "a sparse tensor is not read; save x.to_dense()");
    if (maker.ends_with("_qtensor")) {
      fail(path, "a quantised tensor is not read; save x.dequantize()");
    }
    fail(path, "a tensor made by ", maker, " is not read; save a plain copy, x.cpu().clone()");
  }

  static size_t element_of(const StorageOutline& storage, const PickleNode* dtype,
                           const Path& path) {
    for (size_t i = 0; i < std::size(kElements); ++i) {
      if (dtype ? dtype->kind == PickleKind::global && dtype->text == kElements[i].dtype
                : storage.type == kElements[i].storage) {
        return i;
      }
    }
    fail(path, "values of ", dtype ? std::string(dtype->text) : storage.type, " are not read",
         storage.type.starts_with("Q") ? "; save x.dequantize()" : "");
  }

  std::vector<int64_t> whole_numbers(const PickleNode& list, const Path& path,
                                     const char* what) const {
    if (!is(list, PickleKind::tuple) || list.items.size() > kMaxAxes) {
      fail(path, "expected ", what, " of at most ", kMaxAxes, " axes");
    }
    std::vector<int64_t> numbers;
    for (const auto item : list.items) {
      if (!is(node(item), PickleKind::integer) || node(item).integer < 0) {
        fail(path, "expected whole numbers as ", what);
      }
      numbers.push_back(node(item).integer);
    }
    return numbers;
  }

  void check_bounds(const TensorOutline& tensor) {
    const uint64_t size = kElements[tensor.element].byte_count;
    auto& storage = outline_.storages[tensor.storage];
    const auto bytes = byte_count(tensor.sizes, size);
    if (!bytes || tensor.sizes.size() != tensor.strides.size()) {
      fail(tensor.name, "shape and strides do not make a tensor");
    }
    if (*bytes == 0) return;
    storage.used = true;
    const uint64_t count = storage.byte_count / size;
    // One past the last element that is touched; 128 bits hold 64 axes of 62 bits each.
    unsigned __int128 end = static_cast<uint64_t>(tensor.offset) + uint64_t{1};
    for (size_t axis = 0; axis < tensor.sizes.size() && end <= count; ++axis) {
      end += static_cast<unsigned __int128>(tensor.sizes[axis] - 1) *
             static_cast<uint64_t>(tensor.strides[axis]);
    }
    if (end > count) {
      fail(tensor.name, "reaches beyond its storage ", storage.key, " of ", count, " elements");
    }
    tensor_bytes_ += static_cast<double>(*bytes);
  }

  void check_growth() const {
    double storage_bytes = 0;
    for (const auto& storage : outline_.storages) {
      if (storage.used) storage_bytes += static_cast<double>(storage.byte_count);
    }
    if (tensor_bytes_ > kMaxGrowth * storage_bytes + kMaxGrownBytes) {
      throw StoreError(detail::concat("the tensors' shapes take ", tensor_bytes_,
                                      " bytes and their storages ", storage_bytes,
                                      "; save copies of expanded tensors"));
    }
  }

  // --- what stands beside the tensors ---
  void add_opaque(const Path& path, const std::string& type) { add(outline_.opaque, path, type); }
  void add(std::vector<std::pair<std::string, std::string>>& list, const Path& path,
           std::string text) {
    count_text(path.size() + text.size());
    list.emplace_back(path, std::move(text));
  }
  void count_text(size_t byte_count) {
    text_bytes_ += byte_count;
    if (text_bytes_ > kMaxTextBytes) {
      throw StoreError(detail::concat("expected names and texts of at most ", kMaxTextBytes,
                                      " bytes, got more"));
    }
  }

  const Pickle& pickle_;
  CheckpointOutline outline_;
  std::map<std::string, size_t> storage_by_key_;
  std::map<PickleRef, size_t> storage_by_ref_;
  std::map<std::string, size_t> place_by_name_;
  std::vector<bool> open_, seen_;  // by node: being visited; looked through
  std::set<PickleRef> modules_;
  size_t visits_ = 0, text_bytes_ = 0;
  double tensor_bytes_ = 0;
};

}  // namespace

CheckpointOutline outline_checkpoint(const Pickle& pickle) { return Outliner(pickle).run(); }

}  // namespace vmr::store
