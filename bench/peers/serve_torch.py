"""serve.py for what PyTorch does."""
import sys

from serve import loaded_libraries, serve

try:
    import torch
except ImportError:
    sys.exit(3)    # the caller reads no hello, and tries the next Python


def serve_torch(work, **hello):
    stated = [line.strip(" -").split(" for ")[0]
              for line in torch.__config__.show().splitlines() if "Library Version" in line]
    serve(work, name="PyTorch " + torch.__version__,
          libraries=", ".join(stated + loaded_libraries()), **hello)
