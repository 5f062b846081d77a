// Upstream's distribution has a package of the same name: both in one environment overwrite each
// other's files, whichever came first.
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>

#include "module.h"

namespace py = pybind11;

namespace tasker::python {
namespace {

// The name of upstream's metadata in a folder of sys.path; empty without.
std::string UpstreamIn(const std::filesystem::path& folder) {
  std::error_code none;
  auto entries = std::filesystem::directory_iterator(folder, none);
  for (; entries != std::filesystem::directory_iterator(); entries.increment(none)) {
    const std::filesystem::path name = entries->path().filename();
    const bool metadata = name.extension() == ".dist-info" || name.extension() == ".egg-info";
    if (metadata && name.string().starts_with("tasker_py-")) return name.string();
  }
  return {};
}

}  // namespace

void RefuseUpstream() {
  for (const py::handle entry : py::list(py::module_::import("sys").attr("path"))) {
    if (!py::isinstance<py::str>(entry)) continue;
    const std::string folder = entry.cast<std::string>();
    const std::string found = UpstreamIn(folder.empty() ? "." : folder);
    if (found.empty()) continue;
    throw std::runtime_error(
        "the distributions tasker-py and tasker-host both provide the package tasker_core, and "
        "tasker-py is installed (" +
        folder + "/" + found +
        "); run `pip uninstall tasker-py tasker-host` and then `pip install tasker-host`");
  }
}

}  // namespace tasker::python
