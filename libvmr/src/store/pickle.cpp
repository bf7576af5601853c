#include "store/pickle.h"

#include <array>
#include <bit>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "vmr/core/error.h"

namespace vmr::store {
namespace {

constexpr int kNewestProtocol = 5;
constexpr size_t kMaxGlobalBytes = 500;

const char* name_of(PickleKind kind) {
  constexpr const char* kNames[] = {"None",           "a boolean",
                                    "a whole number", "a long number",
                                    "a number",       "a text",
                                    "bytes",          "a list",
                                    "a tuple",        "a set",
                                    "a dict",         "a class or function",
                                    "an object",      "a persistent identifier"};
  return kNames[static_cast<size_t>(kind)];
}

// The stack machine. Each opcode is one row of kOperations: a method and its parameter, which is a
// PickleKind, a count or a number of length bytes.
class Machine {
 public:
  Machine(std::string_view bytes, const PickleLimits& limits) : bytes_(bytes), limits_(limits) {}

  Pickle run() {
    const auto& operations = table();
    for (uint64_t count = 0;; ++count) {
      opcode_at_ = at_;
      if (count == limits_.opcodes)
        fail("expected at most ", limits_.opcodes, " opcodes, got more");
      const auto opcode = static_cast<uint8_t>(take(1)[0]);
      if (opcode == '.') break;
      const auto& operation = operations[opcode];
      if (operation.act == nullptr) refuse(opcode);
      (this->*operation.act)(operation.parameter);
    }
    if (stack_.size() != 1 || !marks_.empty()) {
      fail("expected one value at the end, got ", stack_.size());
    }
    pickle_.root = stack_[0];
    pickle_.byte_count = at_;
    return std::move(pickle_);
  }

 private:
  struct Operation {
    uint8_t opcode = 0;
    void (Machine::*act)(size_t) = nullptr;
    size_t parameter = 0;
  };
  static const std::array<Operation, 256>& table();

  template <typename... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    throw StoreError(detail::concat("at byte ", opcode_at_, ": ", parts...));
  }
  [[noreturn]] void refuse(uint8_t opcode) const {
    if (opcode != 0 && std::strchr("ILFSVPpgio", opcode) != nullptr) {
      fail("expected opcodes of protocols 2 to 5, got '", char(opcode),
           "' of an older one; leave torch.save's pickle_protocol as it is");
    }
    if (opcode >= 0x82 && opcode <= 0x84) fail("the pickle asks for Python's extension registry");
    if (opcode == 0x97 || opcode == 0x98) fail("the pickle asks for buffers outside of it");
    fail("expected an opcode, got ", int(opcode), ": the file is damaged or no pickle");
  }

  // Bytes.
  std::string_view take(uint64_t count) {
    if (count > bytes_.size() - at_) {
      fail("expected ", count, " more bytes, got ", bytes_.size() - at_, ": cut short or damaged");
    }
    const auto part = bytes_.substr(at_, count);
    at_ += count;
    return part;
  }
  uint64_t unsigned_number(size_t byte_count) {
    const auto part = take(byte_count);
    uint64_t value = 0;
    for (size_t i = byte_count; i-- > 0;) value = value << 8 | static_cast<uint8_t>(part[i]);
    return value;
  }
  std::string_view line() {
    const auto end = bytes_.find('\n', at_);
    if (end == bytes_.npos) fail("expected a line of text, got none: cut short or damaged");
    const auto part = take(end - at_);
    take(1);
    return part;
  }

  // The stack.
  PickleNode& node(PickleRef ref) { return pickle_.nodes[ref]; }
  PickleRef make(PickleKind kind) {
    if (pickle_.nodes.size() == limits_.nodes) {
      fail("expected at most ", limits_.nodes, " values, got more");
    }
    pickle_.nodes.emplace_back().kind = kind;
    return static_cast<PickleRef>(pickle_.nodes.size() - 1);
  }
  PickleNode& push(PickleKind kind) {
    stack_.push_back(make(kind));
    return node(stack_.back());
  }
  PickleRef top() const {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) {
      fail("expected a value on the stack, got none");
    }
    return stack_.back();
  }
  PickleRef pop() {
    const auto ref = top();
    stack_.pop_back();
    return ref;
  }
  std::vector<PickleRef> pop_mark() {
    if (marks_.empty()) fail("expected a mark on the stack, got none");
    const auto begin = stack_.begin() + static_cast<ptrdiff_t>(marks_.back());
    std::vector<PickleRef> items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return items;
  }
  void mark(size_t) {
    if (marks_.size() == limits_.depth) fail("nested deeper than ", limits_.depth, " levels");
    marks_.push_back(stack_.size());
  }
  void drop(size_t) { pop(); }
  void drop_to_mark(size_t) { pop_mark(); }
  void duplicate(size_t) { stack_.push_back(top()); }

  // Constants: None, numbers, texts.
  void empty(size_t kind) { push(static_cast<PickleKind>(kind)); }
  void boolean(size_t value) { push(PickleKind::boolean).integer = int64_t(value); }
  void small_integer(size_t byte_count) {
    push(PickleKind::integer).integer = int64_t(unsigned_number(byte_count));
  }
  void signed_integer(size_t) {
    push(PickleKind::integer).integer = static_cast<int32_t>(unsigned_number(4));
  }
  void long_integer(size_t length_bytes) {
    const auto digits = take(unsigned_number(length_bytes));
    if (digits.size() > sizeof(uint64_t)) {
      push(PickleKind::long_int).text = digits;
      return;
    }
    uint64_t value = !digits.empty() && (digits.back() & 0x80) != 0 ? ~uint64_t{0} : 0;
    for (size_t i = digits.size(); i-- > 0;) value = value << 8 | static_cast<uint8_t>(digits[i]);
    push(PickleKind::integer).integer = static_cast<int64_t>(value);
  }
  void real(size_t) {
    uint64_t bits = 0;
    for (const char part : take(8)) bits = bits << 8 | static_cast<uint8_t>(part);
    push(PickleKind::real).real = std::bit_cast<double>(bits);
  }
  void text(size_t length_bytes) {
    push(PickleKind::text).text = take(unsigned_number(length_bytes));
  }
  void bytes(size_t length_bytes) {
    push(PickleKind::bytes).text = take(unsigned_number(length_bytes));
  }

  // Containers.
  void collect(size_t kind) {
    auto items = pop_mark();
    push(static_cast<PickleKind>(kind)).items = std::move(items);
  }
  void collect_dict(size_t) {
    const auto items = pop_mark();
    push(PickleKind::dict);
    put(items);
  }
  void tuple(size_t count) {
    std::vector<PickleRef> items(count);
    while (count > 0) items[--count] = pop();
    push(PickleKind::tuple).items = std::move(items);
  }
  void append(size_t) {
    const auto item = pop();
    extend({item}, PickleKind::list, &PickleNode::appended);
  }
  void append_many(size_t kind) {
    const auto items = pop_mark();
    extend(items, static_cast<PickleKind>(kind), &PickleNode::appended);
  }
  void set_item(size_t) {
    const auto value = pop(), key = pop();
    put({key, value});
  }
  void set_items(size_t) {
    const auto items = pop_mark();
    put(items);
  }
  void put(const std::vector<PickleRef>& items) {
    if (items.size() % 2 != 0) fail("expected pairs of key and value, got one value too many");
    extend(items, PickleKind::dict, &PickleNode::entries);
  }
  // Adds to the container on top, or to that part of an object which stands for it.
  void extend(const std::vector<PickleRef>& items, PickleKind kind, PickleRef PickleNode::*part) {
    auto target = top();
    if (node(target).kind == PickleKind::object) {
      if (node(target).*part == kNoPickleRef) {
        const auto fresh = make(kind);
        node(target).*part = fresh;
      }
      target = node(target).*part;
    }
    if (node(target).kind != kind) {
      fail("expected ", name_of(kind), " to add to, got ", name_of(node(target).kind));
    }
    auto& list = node(target).items;
    list.insert(list.end(), items.begin(), items.end());
  }

  // The memo, which lets a value occur more than once; protocol and frames.
  void remember(size_t index_bytes) { remember_as(uint32_t(unsigned_number(index_bytes))); }
  void remember_next(size_t) { remember_as(uint32_t(memo_.size())); }
  void remember_as(uint32_t index) {
    if (memo_.size() == limits_.nodes) fail("expected at most ", limits_.nodes, " memo entries");
    memo_[index] = top();
  }
  void recall(size_t index_bytes) {
    const auto index = static_cast<uint32_t>(unsigned_number(index_bytes));
    const auto found = memo_.find(index);
    if (found == memo_.end()) fail("expected a value that occurred before, got number ", index);
    stack_.push_back(found->second);
  }
  void protocol(size_t) {
    const auto number = unsigned_number(1);
    if (number > kNewestProtocol) fail("expected a pickle protocol up to 5, got ", number);
  }
  void frame(size_t) {
    const auto count = unsigned_number(8);
    if (count > bytes_.size() - at_) {
      fail("expected a frame of ", count, " bytes, got ", bytes_.size() - at_, ": cut short");
    }
  }

  // Names, and what Python would call; nothing is looked up or called here.
  void global(size_t) {
    const auto module = line(), name = line();
    push_global(module, name);
  }
  void stack_global(size_t) {
    const auto name = pop(), module = pop();
    for (const auto ref : {module, name}) {
      if (node(ref).kind != PickleKind::text) {
        fail("expected a text as module and name, got ", name_of(node(ref).kind));
      }
    }
    push_global(node(module).text, node(name).text);
  }
  void push_global(std::string_view module, std::string_view name) {
    if (module.size() + name.size() > kMaxGlobalBytes) {
      fail("expected a class or function, got a name of ", module.size() + name.size(), " bytes");
    }
    auto& made = push(PickleKind::global);
    made.module = module;
    made.text = name;
  }
  void call(size_t) {
    const auto arguments = pop(), callee = pop();
    const auto kind = node(callee).kind;
    if (kind != PickleKind::global && kind != PickleKind::object &&
        kind != PickleKind::persistent) {
      fail("expected a class or function to call, got ", name_of(kind));
    }
    if (node(arguments).kind != PickleKind::tuple) {
      fail("expected a tuple of arguments, got ", name_of(node(arguments).kind));
    }
    push(PickleKind::object).items = {callee, arguments};
  }
  void call_with_names(size_t) {
    pop();  // the arguments by name: nothing here looks at them
    call(0);
  }
  void set_state(size_t) {
    const auto state = pop();
    auto& target = node(top());
    if (target.kind != PickleKind::object) {
      fail("expected an object to give a state to, got ", name_of(target.kind));
    }
    target.state = state;
  }
  void persistent(size_t) {
    const auto identifier = pop();
    push(PickleKind::persistent).items = {identifier};
  }

  std::string_view bytes_;
  const PickleLimits& limits_;
  size_t at_ = 0, opcode_at_ = 0;
  Pickle pickle_;
  std::vector<PickleRef> stack_;
  std::vector<size_t> marks_;  // the stack's height at each open mark
  std::unordered_map<uint32_t, PickleRef> memo_;
};

const std::array<Machine::Operation, 256>& Machine::table() {
  using M = Machine;
  constexpr auto of = [](PickleKind kind) { return static_cast<size_t>(kind); };
  static constexpr Operation kOperations[] = {
      {0x80, &M::protocol},
      {0x95, &M::frame},
      {'(', &M::mark},
      {'0', &M::drop},
      {'1', &M::drop_to_mark},
      {'2', &M::duplicate},
      {'N', &M::empty, of(PickleKind::none)},
      {0x88, &M::boolean, 1},
      {0x89, &M::boolean, 0},
      {'J', &M::signed_integer},
      {'K', &M::small_integer, 1},
      {'M', &M::small_integer, 2},
      {0x8a, &M::long_integer, 1},
      {0x8b, &M::long_integer, 4},
      {'G', &M::real},
      {'U', &M::text, 1},  // U and T: texts of Python 2
      {'T', &M::text, 4},
      {0x8c, &M::text, 1},
      {'X', &M::text, 4},
      {0x8d, &M::text, 8},
      {'C', &M::bytes, 1},
      {'B', &M::bytes, 4},
      {0x8e, &M::bytes, 8},
      {0x96, &M::bytes, 8},
      {']', &M::empty, of(PickleKind::list)},
      {')', &M::empty, of(PickleKind::tuple)},
      {'}', &M::empty, of(PickleKind::dict)},
      {0x8f, &M::empty, of(PickleKind::set)},
      {'l', &M::collect, of(PickleKind::list)},
      {'t', &M::collect, of(PickleKind::tuple)},
      {0x91, &M::collect, of(PickleKind::set)},
      {'d', &M::collect_dict},
      {0x85, &M::tuple, 1},
      {0x86, &M::tuple, 2},
      {0x87, &M::tuple, 3},
      {'a', &M::append},
      {'e', &M::append_many, of(PickleKind::list)},
      {0x90, &M::append_many, of(PickleKind::set)},
      {'s', &M::set_item},
      {'u', &M::set_items},
      {'q', &M::remember, 1},
      {'r', &M::remember, 4},
      {0x94, &M::remember_next},
      {'h', &M::recall, 1},
      {'j', &M::recall, 4},
      {'c', &M::global},
      {0x93, &M::stack_global},
      {'R', &M::call},
      {0x81, &M::call},
      {0x92, &M::call_with_names},
      {'b', &M::set_state},
      {'Q', &M::persistent},
  };
  static const auto by_opcode = [] {
    std::array<Operation, 256> all{};
    for (const auto& operation : kOperations) all[operation.opcode] = operation;
    return all;
  }();
  return by_opcode;
}

}  // namespace

Pickle parse_pickle(std::string_view bytes, const PickleLimits& limits) {
  return Machine(bytes, limits).run();
}

}  // namespace vmr::store
