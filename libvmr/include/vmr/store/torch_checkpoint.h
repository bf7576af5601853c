// Checkpoints of PyTorch (.pth, .pt, .ckpt, .bin), read without Python and without running
// anything: the pickle within is only looked at. Reads what torch.save writes: the zip archives
// since PyTorch 1.6 and the layout before it, pickle protocols 2 to 5; state dicts, and training
// checkpoints in which they are nested beside an optimiser's state, options and counts.
// Thread-safe.
//
//   const auto weights = find_state_dict(read_torch_checkpoint("model.pth"));
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace vmr::store {

struct TorchCheckpoint {
  // Dotted names of the dict keys and list places that lead to a tensor, in the order of the file:
  // "model.conv.weight", "optimizer.state.0.exp_avg". A file that is one tensor names it "tensor".
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  // For each tensor the name of the dict or list that holds it, "" for the outermost: it tells the
  // key "model.weight" from the key "weight" of the dict "model".
  std::vector<std::string> groups;
  // Numbers, texts, true, false and null beside the tensors, as text.
  std::vector<std::pair<std::string, std::string>> values;
  // Objects that are not understood, with their type: "argparse.Namespace",
  // "numpy._core.multiarray.scalar". The fields of such an object are listed all the same.
  std::vector<std::pair<std::string, std::string>> opaque;
  // Whole pickled modules with their class; their weights are not read.
  std::vector<std::pair<std::string, std::string>> modules;
  std::string format;          // "zip" or "legacy"
  std::filesystem::path path;  // it was read from, for messages

  // Undefined tensor where absent.
  at::Tensor find(const std::string& name) const;
};

// Tensors lie on the CPU whatever device they were saved from, and require no gradient; views keep
// their strides and tensors that shared a storage share it still. They use one private mapping of
// the file, as read_safetensors does, and writing to a tensor does not change the file. dtypes: all
// floats, whole numbers, bool and complex numbers of 8 to 128 bits.
// A zip archive has a checksum for every storage: each that a tensor uses is compared once, which
// reads it, at about 2 GB/s. The layout before has none, nor has an archive saved without.
// Throws: StoreError naming the place and the fault: no file of torch.save, cut short, damaged
// (with the entry whose checksum does not fit), lying about sizes; sparse and quantised tensors,
// big-endian files, TorchScript programs; "not a state dict" where whole pickled modules are all
// that the file holds.
TorchCheckpoint read_torch_checkpoint(const std::filesystem::path& path);

struct StateDict {
  std::vector<std::pair<std::string, at::Tensor>> tensors;  // names as the module has them
  std::string key;     // under which the tensors lay; "" where the file is the state dict
  std::string prefix;  // taken off every name: "module." of DataParallel, "_orig_mod." of compile
};

// The module's tensors without what surrounds them: those under `key`, by default those under the
// first of state_dict, model_state_dict, model, net, network, module, weights, params that has any,
// else the outermost ones, else those of the only key that has any.
// Throws: InvalidArgument where nothing lies under `key`; StoreError where there are no tensors or
// several keys have some. Both list the keys to choose from.
StateDict find_state_dict(const TorchCheckpoint& checkpoint, const std::string& key = "");

}  // namespace vmr::store
