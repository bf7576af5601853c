"""What the golden scripts that run published code share: loading it, and writing tensors as JSON."""
import importlib.util
import sys


def load(name, path):
    """The file as a module of that name, which its own imports may find."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def listed(tensor):
    return {"shape": list(tensor.shape),
            "values": [round(float(v), 9) for v in tensor.detach().flatten().double()]}
